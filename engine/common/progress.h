// Progress of one job: the worker adds, any thread may ask.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include "catalog/base/id.h"
#include "catalog/base/mutex.h"

namespace holdfast {

struct Progress {
  std::uint64_t done = 0, total = 0, rate = 0;  // bytes, bytes, bytes per second
  std::optional<std::int64_t> seconds_left;
  std::int64_t revision = 0;  // grows when a figure changes
  bool operator==(const Progress&) const = default;
};

class ProgressMeter {
 public:
  using Steady = std::chrono::steady_clock;

  void expect(std::uint64_t bytes) { total_ += bytes; }
  void expect_no_more() { total_ = done_.load(); }
  void advance(std::uint64_t bytes) {
    done_ += bytes;
    move();
  }
  // Records a step that moves no bytes, for the watchdog.
  void move() { moved_at_ = Steady::now(); }
  Steady::time_point moved_at() const { return moved_at_; }

  // Returns figures renewed once a second, so that a file's size from stat() fits its content. Figures that
  // stay the same keep their revision.
  Progress snapshot(Steady::time_point now = Steady::now());
  std::uint64_t done() const { return done_; }
  std::uint64_t total() const { return total_; }

 private:
  std::atomic<std::uint64_t> done_{0};
  std::atomic<std::uint64_t> total_{0};
  const Steady::time_point begun_ = Steady::now();
  std::atomic<Steady::time_point> moved_at_{begun_};
  Mutex mutex_;
  Steady::time_point taken_at_ HF_GUARDED_BY(mutex_){};
  Progress taken_ HF_GUARDED_BY(mutex_);
};

}  // namespace holdfast
