// A limit of bytes per second that several jobs share.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "catalog/base/error.h"
#include "catalog/base/id.h"
#include "catalog/base/mutex.h"
#include "engine/sources/driver.h"

namespace holdfast::capture {

// Lets bytes pass at a rate. Any thread may call.
class Throttle {
 public:
  // Applies from the next take() on; nullopt: no limit.
  void set_rate(std::optional<std::uint64_t> bytes_a_second);
  // Returns when that many bytes may pass; ECANCELED after a cancel.
  Result<> take(std::uint64_t bytes, const source::Cancel& cancel);

 private:
  using Steady = std::chrono::steady_clock;

  Steady::time_point turn_of(std::uint64_t bytes);

  Mutex mutex_;
  std::optional<std::uint64_t> rate_ HF_GUARDED_BY(mutex_);
  Steady::time_point free_at_
      HF_GUARDED_BY(mutex_){};  // when the bytes let through so far have had their time
};

// Holds one throttle for each repository, machine and source while a job uses it, because a limit may be set
// meanwhile. Any thread may call.
class Throttles {
 public:
  std::shared_ptr<Throttle> of(Id object, std::optional<std::uint64_t> bytes_a_second);
  // Applies a new limit to running jobs.
  void changed(Id object, std::optional<std::uint64_t> bytes_a_second);

 private:
  Mutex mutex_;
  std::map<Id, std::weak_ptr<Throttle>> throttles_ HF_GUARDED_BY(mutex_);
};

}  // namespace holdfast::capture
