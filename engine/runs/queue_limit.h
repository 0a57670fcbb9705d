// Bounds the jobs that one user has the daemon hold at once, so that a flood of commands costs others no
// time: a queue is looked through at each turn, and ended with the daemon. Root's jobs and the daemon's own
// are not counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "catalog/base/error.h"
#include "catalog/base/id.h"

namespace holdfast::runs {

// The user who asked for a job, and the object that the command was given to. A run of a flow names no
// object, because a flow has one execution at a time, with as many jobs as machines.
struct Asked {
  std::uint32_t uid = 0;
  Id object = 0;
};

// Used by one thread at a time.
class QueueLimit {
 public:
  static constexpr std::size_t kMostOfUser = 1000;  // jobs that have not ended
  static constexpr std::size_t kMostAtObject = 32;

  // Returns EDQUOT if no further job is taken. One command may pass the limit by the jobs of a run.
  Result<> check(const Asked& asked) const;
  void add(const Asked& asked);
  void remove(const Asked& asked);

 private:
  std::map<std::uint32_t, std::size_t> of_user_;
  std::map<Id, std::size_t> at_object_;
};

}  // namespace holdfast::runs
