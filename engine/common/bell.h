// Wakes one waiting thread.
#pragma once

#include <chrono>

#include "catalog/base/mutex.h"

namespace holdfast {

// A bell is made before its callers and the thread that it wakes, and outlives them. Any thread may ring and
// close; one thread waits.
class Bell {
 public:
  // Returns at once. A ring while nobody waits ends the next wait.
  void ring();
  // Returns at a ring or after `at_most`; false if closed.
  bool wait(std::chrono::milliseconds at_most);
  // Ends the current and every later wait.
  void close();

 private:
  Mutex mutex_;
  CondVar moved_;
  bool rung_ HF_GUARDED_BY(mutex_) = false;
  bool closed_ HF_GUARDED_BY(mutex_) = false;
};

}  // namespace holdfast
