// The one NBD server that a QEMU can run.
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>

#include "catalog/base/error.h"
#include "catalog/base/id.h"

namespace holdfast::source::qmp {

class Source;

// Started by the first capture that needs it, stopped by the last. It listens on a socket in a directory that
// nobody but the daemon's user can enter. Since QEMU can't say where its server listens, ours is
// recognised by its socket: what listens elsewhere is not ours and is never stopped. Any thread may call.
class NbdServer {
 public:
  explicit NbdServer(Source& source) : source_(source) {}

  // The path of the socket in a directory of its own that is named `name` in `scratch`.
  static std::string socket_in(const std::string& scratch, const std::string& name);

  // Joins the running server, or starts one at `fresh_path`. `record` is called with the path before anything
  // is made, and its id is the user's name for leave(). EBUSY: a server runs that is not ours.
  using Record = std::function<Result<Id>(const std::string& path)>;
  Result<std::string> join(const std::string& fresh_path, const Record& record);
  // The last user stops the server and removes its directory. Fine when it is already gone, or when the user
  // is of an earlier life.
  Result<> leave(const std::string& path, Id user);

 private:
  Result<> start(const std::string& path);

  Source& source_;
  std::mutex mutex_;
  std::string path_;  // of the running one; "" when none was started in this life
  std::set<Id> users_;
};

}  // namespace holdfast::source::qmp
