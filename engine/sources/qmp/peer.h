// The process behind a QMP socket, and what it names on its host.
//
// The process may belong to any user, and chooses the names that it reports. So each is looked up from the
// process's own root, and with no more rights than the process has (law 19).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "catalog/base/disk.h"
#include "catalog/base/error.h"
#include "catalog/base/fd.h"
#include "engine/common/deadline.h"

namespace holdfast::source::qmp {

// Any thread may call. Every call fails if the process isn't visible here, for example on another host.
class Peer {
 public:
  // The process that listens at the other end of a connection. If it was root when it began to listen, the
  // rights that it has by now count.
  static Result<Peer> of(const Fd& connection);

  // Opens a file or a block device for reading.
  Result<std::unique_ptr<File>> open(const std::string& path) const;
  // Returns the free bytes of the path's file system.
  Result<std::uint64_t> free_space(const std::string& path) const;
  // Connects to a unix socket; `what` names it in sentences.
  Result<Fd> connect(const std::string& path, std::string_view what, const Deadline& deadline) const;

 private:
  struct Rights {
    uid_t user = 0;
    gid_t group = 0;
    std::vector<gid_t> groups;
  };
  class Borrowed;

  static std::optional<Rights> rights_now(pid_t process);  // nullopt if it isn't visible here
  // Returns a descriptor that only names the file (O_PATH). The caller has borrowed the rights.
  Result<Fd> find(const std::string& path) const;
  // Calls `act` with what the path names, and with the peer's rights. Returns its Result.
  template <class Act>
  std::invoke_result_t<Act, const Fd&> with(const std::string& path, Act act) const;

  pid_t process_ = 0;  // 0: not visible here
  Rights rights_;
};

}  // namespace holdfast::source::qmp
