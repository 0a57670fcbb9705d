// How far a job is. The worker adds, anybody asks.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

#include "catalog/base/id.h"

namespace holdfast {

struct Progress {
  std::uint64_t done = 0, total = 0, rate = 0;  // bytes, bytes, bytes a second
  std::optional<std::int64_t> seconds_left;
  std::int64_t revision = 0;  // grows when the figures move
};

class ProgressMeter {
 public:
  void expect(std::uint64_t bytes) { total_ += bytes; }
  void expect_no_more() { total_ = done_.load(); }
  void advance(std::uint64_t bytes) { done_ += bytes; }

  // Taken anew once a second, so that what was stat'ed is what is then read.
  Progress snapshot();
  std::uint64_t done() const { return done_; }
  std::uint64_t total() const { return total_; }

 private:
  using Steady = std::chrono::steady_clock;

  std::atomic<std::uint64_t> done_{0};
  std::atomic<std::uint64_t> total_{0};
  const Steady::time_point begun_ = Steady::now();
  std::mutex mutex_;  // guards what follows
  Steady::time_point taken_at_{};
  Progress taken_;
};

}  // namespace holdfast
