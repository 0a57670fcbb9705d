// Keeps one user from filling the event log: a burst of refusals is recorded, and a burst of changes is
// taken; from then on, a little at a time.
#pragma once

#include <chrono>
#include <cstdint>

#include "catalog/base/clock.h"
#include "catalog/base/lru.h"
#include "catalog/base/mutex.h"

namespace holdfast {

// The number that one user gets at once, and the pause until one more.
struct Allowance {
  int burst = 0;
  std::chrono::seconds pause{};
};
constexpr Allowance kRecordedRefusals{.burst = 100, .pause = std::chrono::minutes{1}};
// An automation that sets up five hundred machines with their flows makes about so many changes at once.
constexpr Allowance kChanges{.burst = 2000, .pause = std::chrono::seconds{5}};

// Any thread may call.
class Allowances {
 public:
  explicit Allowances(const Allowance& each) : each_(each) {}

  enum class Answer { granted, first_refused, refused };
  // Decides about one more of the user's. `first_refused`: the one before was granted.
  Answer take(std::uint32_t uid, Time now);

 private:
  struct User {
    int left = 0;
    Time since{};  // when `left` last grew
    bool told = false;
  };
  static constexpr std::size_t kMostUsers = 4096;

  const Allowance each_;
  Mutex mutex_;
  Lru<std::uint32_t, User> users_ HF_GUARDED_BY(mutex_){kMostUsers};
};

}  // namespace holdfast
