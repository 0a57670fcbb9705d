// Keeps one user's refusals from filling the event log: a burst of them is recorded, and from then on one a
// minute.
#pragma once

#include "catalog/base/clock.h"
#include "catalog/base/lru.h"
#include "catalog/base/mutex.h"

namespace holdfast {

// Any thread may call.
class RefusalLimit {
 public:
  static constexpr int kBurst = 100;
  static constexpr std::chrono::minutes kPause{1};  // until one more is recorded

  enum class Answer { record, tell, leave_out };
  // Decides about one more refusal of the user. `tell`: it is the first to be left out, which the log shall
  // say.
  Answer judge(std::uint32_t uid, Time now);

 private:
  struct Allowance {
    int left = kBurst;
    Time since{};  // when `left` last grew
    bool told = false;
  };
  static constexpr std::size_t kMostUsers = 4096;

  Mutex mutex_;
  Lru<std::uint32_t, Allowance> users_ HF_GUARDED_BY(mutex_){kMostUsers};
};

}  // namespace holdfast
