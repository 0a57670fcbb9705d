#include "engine/common/left_behind.h"

#include <utility>

namespace holdfast {

void LeftBehind::add(Id machine) {
  {
    const std::lock_guard lock(mutex_);
    machines_.insert(machine);
  }
  moved_.notify_all();
}

std::optional<std::set<Id>> LeftBehind::take(const std::optional<Steady::time_point>& until) {
  std::unique_lock lock(mutex_);
  const auto is_over = [this] { return closed_ || !machines_.empty(); };
  if (until)
    moved_.wait_until(lock, *until, is_over);
  else
    moved_.wait(lock, is_over);
  if (closed_) return std::nullopt;
  return std::exchange(machines_, {});
}

void LeftBehind::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  moved_.notify_all();
}

}  // namespace holdfast
