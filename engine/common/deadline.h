#pragma once

#include <algorithm>
#include <chrono>

namespace holdfast::source {

// The end of a wait.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  static Deadline in(std::chrono::milliseconds time) { return Deadline{Clock::now() + time}; }

  Clock::time_point at() const { return at_; }
  bool passed() const { return Clock::now() >= at_; }
  Deadline or_in(std::chrono::milliseconds time) const { return std::min(*this, in(time), earlier); }
  // Returns the remaining time for poll(2), rounded up so that a wait never ends before the deadline.
  int milliseconds() const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(at_ - Clock::now()).count();
    return static_cast<int>(std::clamp<std::chrono::milliseconds::rep>(left, 0, 3'600'000));
  }

 private:
  explicit Deadline(Clock::time_point at) : at_(at) {}
  static bool earlier(const Deadline& a, const Deadline& b) { return a.at_ < b.at_; }

  Clock::time_point at_;
};

}  // namespace holdfast::source
