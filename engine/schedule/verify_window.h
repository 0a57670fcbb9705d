// Times in which a policy's verification goes on.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "catalog/base/clock.h"
#include "engine/schedule/blackout.h"

namespace holdfast::schedule {

// A value, read in UTC. Without a window it is always open.
class VerifyWindow {
 public:
  // EINVAL, naming the field: no window.
  static Result<VerifyWindow> of(const std::vector<std::string>& windows);

  bool is_open(Time at) const;
  // Returns the longest time of a week in which it is shut.
  std::chrono::minutes longest_pause() const;

 private:
  std::vector<Blackout> windows_;
};

}  // namespace holdfast::schedule
