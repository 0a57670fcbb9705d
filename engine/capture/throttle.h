// A limit of bytes a second that several jobs can share.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "catalog/base/error.h"
#include "catalog/base/id.h"
#include "engine/sources/driver.h"

namespace holdfast::capture {

// Any thread may call.
class Throttle {
 public:
  void set_rate(
      std::optional<std::uint64_t> bytes_a_second);  // empty: no limit; holds from the next take() on
  // Returns when so much may pass. ECANCELED.
  Result<> take(std::uint64_t bytes, const source::Cancel& cancel);

 private:
  using Steady = std::chrono::steady_clock;

  Steady::time_point turn_of(std::uint64_t bytes);

  std::mutex mutex_;  // guards what follows
  std::optional<std::uint64_t> rate_;
  Steady::time_point free_at_{};  // when all that was let through has had its time
};

// One for each repository, each machine and each source, for as long as a job uses it: it may get a limit
// meanwhile. Any thread may call.
class Throttles {
 public:
  std::shared_ptr<Throttle> of(Id object, std::optional<std::uint64_t> bytes_a_second);
  // For the jobs that run.
  void changed(Id object, std::optional<std::uint64_t> bytes_a_second);

 private:
  std::mutex mutex_;
  std::map<Id, std::weak_ptr<Throttle>> throttles_;
};

}  // namespace holdfast::capture
