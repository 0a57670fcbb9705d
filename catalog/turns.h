#pragma once

#include <cstdint>

#include "catalog/base/mutex.h"

namespace holdfast {

// A queue of threads before one thing: first come, first served. Any thread may call.
class Turns {
 public:
  using Number = std::uint64_t;

  // A place at the end of the queue. Who has drawn one waits for it, and ends it.
  Number draw() {
    const MutexLock lock(mutex_);
    return next_++;
  }

  // Until all before it have ended.
  void wait_for(Number number) {
    const MutexLock lock(mutex_);
    while (served_ != number) changed_.wait(mutex_);
  }

  // The turn of whoever has it now.
  void end() {
    {
      const MutexLock lock(mutex_);
      ++served_;
    }
    changed_.notify_all();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  Number next_ HF_GUARDED_BY(mutex_) = 0;
  Number served_ HF_GUARDED_BY(mutex_) = 0;
};

}  // namespace holdfast
