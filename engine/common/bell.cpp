#include "engine/common/bell.h"

namespace holdfast {

void Bell::ring() {
  {
    const std::lock_guard lock(mutex_);
    rung_ = true;
  }
  moved_.notify_all();
}

bool Bell::wait(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  moved_.wait_for(lock, at_most, [this] { return rung_ || closed_; });
  rung_ = false;
  return !closed_;
}

void Bell::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  moved_.notify_all();
}

}  // namespace holdfast
