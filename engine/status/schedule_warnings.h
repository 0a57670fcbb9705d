// The warnings of schedules, worked out once for each revision of a schedule, because every stat() of a
// status file asks.
#pragma once

#include <map>
#include <vector>

#include "catalog/base/mutex.h"
#include "catalog/model/entities.h"
#include "engine/status/status.h"

namespace holdfast {

// Any thread may call.
class ScheduleWarnings {
 public:
  // Returns the warnings of a complete schedule: that it starts nothing, and blackouts that never cover one
  // of its times.
  std::vector<Warning> of(const Schedule& schedule, Time now);

 private:
  struct Known {
    std::int64_t revision = 0;
    std::vector<Warning> warnings;
  };
  static constexpr std::size_t kMostKnown = 1000;

  Mutex mutex_;
  std::map<Id, Known> known_ HF_GUARDED_BY(mutex_);
};

}  // namespace holdfast
