// A clock that moves only when the test moves it.
#pragma once

#include <atomic>

#include "catalog/base/clock.h"

namespace holdfast::test {

// Any thread may call.
class SetClock final : public Clock {
 public:
  explicit SetClock(Time now) : now_(now) {}

  Time now() const override { return now_; }
  void set(Time now) { now_ = now; }
  void advance(std::chrono::milliseconds by) { now_ = now_.load() + by; }

 private:
  std::atomic<Time> now_;
};

}  // namespace holdfast::test
