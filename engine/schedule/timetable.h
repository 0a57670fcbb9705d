// A schedule's definition, understood: when it comes, and when not.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "catalog/base/id.h"
#include "catalog/model/definitions.h"
#include "engine/schedule/blackout.h"
#include "engine/schedule/times.h"

namespace holdfast::schedule {

// A value; any thread may ask. All answers are pure: the same in each life of the daemon.
class Timetable {
 public:
  // EINVAL names the field, what is in it, and what would be right: also of a cron that never comes.
  static Result<Timetable> of(const ScheduleDefinition& definition);

  // The first time after that one, in a window of its blackouts or not.
  std::optional<Time> next(Time after) const { return schedule::next(rule_, after); }
  bool is_blacked_out(Time at) const;
  // The first one that is in none.
  std::optional<Time> next_open(Time after) const;
  // The newest of those after `after` and not after `until`, in their order; none older than a year.
  std::vector<Time> between(Time after, Time until, std::size_t at_most) const;

  // When a flow starts that has this time: up to `jitter` later, always the same.
  Time start(Time planned, Id schedule, Id flow) const;
  // The flow's next start after that moment.
  std::optional<Time> next_start(Time after, Id schedule, Id flow) const;

 private:
  // The first moment from then on that is in no blackout. Nothing: they leave none.
  std::optional<Time> open_from(Time at) const;

  Timetable(Rule rule, cctz::time_zone zone) : rule_(std::move(rule)), zone_(std::move(zone)) {}

  Rule rule_;
  cctz::time_zone zone_;
  std::vector<Blackout> blackouts_;
  std::chrono::seconds jitter_{0};
};

}  // namespace holdfast::schedule
