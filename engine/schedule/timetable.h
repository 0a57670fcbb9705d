// A parsed schedule definition: the times at which it comes, and those at which it must not.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "catalog/base/id.h"
#include "catalog/model/definitions.h"
#include "engine/schedule/blackout.h"
#include "engine/schedule/times.h"

namespace holdfast::schedule {

// A value; any thread may ask. Answers depend on the definition and the arguments only, so every process
// gives the same.
class Timetable {
 public:
  // Returns EINVAL naming the field, its value and what would be right, also for a cron that never comes.
  static Result<Timetable> of(const ScheduleDefinition& definition);

  // Returns the first time after `after`, blacked out or not.
  std::optional<Time> next(Time after) const { return schedule::next(rule_, after); }
  bool is_blacked_out(Time at) const;
  // Returns the first time outside of all blackouts.
  std::optional<Time> next_open(Time after) const;
  // Returns the numbers of the blackouts that can never cover a start, by the zone's clock of the coming
  // year.
  std::vector<std::size_t> idle_blackouts(Time now) const;
  // Returns the newest times in (`after`, `until`], ascending, none older than a year.
  std::vector<Time> between(Time after, Time until, std::size_t at_most) const;

  // Returns the start of a flow for this time: later by up to `jitter`, always by the same amount.
  Time start(Time planned, Id schedule, Id flow) const;
  // Returns the flow's next start after that moment.
  std::optional<Time> next_start(Time after, Id schedule, Id flow) const;

 private:
  // Returns the first moment from `at` on outside of all blackouts; nullopt if there is none.
  std::optional<Time> open_from(Time at) const;

  Timetable(Rule rule, cctz::time_zone zone) : rule_(std::move(rule)), zone_(std::move(zone)) {}

  Rule rule_;
  cctz::time_zone zone_;
  std::vector<Blackout> blackouts_;
  std::chrono::seconds jitter_{0};
};

}  // namespace holdfast::schedule
