#include "engine/common/bell.h"

namespace holdfast {

void Bell::ring() {
  {
    const MutexLock lock(mutex_);
    rung_ = true;
  }
  moved_.notify_all();
}

bool Bell::wait(std::chrono::milliseconds at_most) {
  const auto until = CondVar::Steady::now() + at_most;
  const MutexLock lock(mutex_);
  while (!rung_ && !closed_)
    if (!moved_.wait_until(mutex_, until)) break;
  rung_ = false;
  return !closed_;
}

void Bell::close() {
  {
    const MutexLock lock(mutex_);
    closed_ = true;
  }
  moved_.notify_all();
}

}  // namespace holdfast
