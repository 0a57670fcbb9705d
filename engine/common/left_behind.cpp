#include "engine/common/left_behind.h"

#include <utility>

namespace holdfast {

void LeftBehind::add(Id machine) {
  {
    const MutexLock lock(mutex_);
    machines_.insert(machine);
  }
  moved_.notify_all();
}

std::optional<std::set<Id>> LeftBehind::take() {
  const MutexLock lock(mutex_);
  while (!closed_ && machines_.empty()) moved_.wait(mutex_);
  if (closed_) return std::nullopt;
  return std::exchange(machines_, {});
}

Mutex& LeftBehind::sweeping(Id machine) {
  const MutexLock lock(mutex_);
  return sweeping_[machine];
}

void LeftBehind::close() {
  {
    const MutexLock lock(mutex_);
    closed_ = true;
  }
  moved_.notify_all();
}

}  // namespace holdfast
