#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace holdfast {

// A queue of threads before one thing: first come, first served. Any thread may call.
class Turns {
 public:
  using Number = std::uint64_t;

  // A place at the end of the queue. Who has drawn one waits for it, and ends it.
  Number draw() {
    const std::scoped_lock lock(mutex_);
    return next_++;
  }

  // Until all before it have ended.
  void wait_for(Number number) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return served_ == number; });
  }

  // The turn of whoever has it now.
  void end() {
    {
      const std::scoped_lock lock(mutex_);
      ++served_;
    }
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Number next_ = 0;
  Number served_ = 0;
};

}  // namespace holdfast
