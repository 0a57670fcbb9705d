// The lease of a repository: which process writes there (law 12).
//
//   .lease   {"owner": …, "host": …, "machine": …, "boot": …, "process": …, "started": …, "time": …,
//             "token": …}
//
// The file is held with flock(2), and says who holds it; a clean end leaves no owner. A network file system
// may keep flock(2) to one host, so the text decides as well: who finds another's token there has lost the
// lease. The lease of a dead process of this host is taken. Any other that was not given back is taken by a
// person's word alone, and by a new file: so the former holder keeps nothing but the old one, even while it
// hangs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "catalog/base/disk.h"
#include "catalog/base/fd.h"

namespace holdfast::repository {

struct Holder {
  std::string owner, host;  // for people
  std::string since;
  std::string machine, boot;  // names the host, and its start
  std::int64_t process = 0;   // pid
  std::uint64_t started = 0;  // the process's start, in the kernel's ticks
  std::string token;          // names this holding alone; "" in a lease of an earlier version
};

// Names the holder: "holdfastd, process 12, at host web, since 2026-11-20T02:00:00Z".
std::string sentence_of(const Holder& holder);

// The way in which a repository is opened.
enum class Taking {
  nothing,  // to be read only
  by_rule,  // takes a lease that is free, or a dead process's of this host
  by_word,  // takes any lease but that of a living process of this host
};

// A lease that this process has taken. Gives it back at the end of its life. Any thread may call.
class Lease {
 public:
  // Returns EBUSY if the lease is another's. The directory, which lies at that path, must outlive the lease.
  static Result<std::unique_ptr<Lease>> take(const Directory& directory, const std::string& path,
                                             Taking taking);
  // Returns what take() by word would find: who holds the lease, if anybody, or its refusal.
  static Result<std::optional<Holder>> may_be_taken_over(const Directory& directory, const std::string& path);
  ~Lease();
  Lease(const Lease&) = delete;

  // Returns EBUSY once another process has taken it over.
  Result<> check() const;
  // Returns who held it before and did not give it back.
  const std::optional<Holder>& former() const { return former_; }

 private:
  Lease(const Directory& directory, std::string path, Fd file, Holder us, std::optional<Holder> former);

  const Directory& directory_;
  const std::string path_;
  const Fd file_;
  const Holder us_;
  const std::optional<Holder> former_;
};

// Returns who holds the lease, as its text says; nullopt if nobody does. EPROTO if it says nothing.
Result<std::optional<Holder>> holder_of(const Directory& directory);

}  // namespace holdfast::repository
