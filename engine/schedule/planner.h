// Turns the times of schedules into occurrences, and keeps it known when each schedule comes next.
#pragma once

#include <span>
#include <vector>

#include "catalog/catalog.h"
#include "catalog/model/entities.h"
#include "engine/observer.h"
#include "engine/schedule/timetable.h"

namespace holdfast::schedule {

// A time of a schedule that a flow is to start at, and when: later than that where the schedule has a jitter.
struct Planned {
  Occurrence occurrence;
  Time moment{};
};

// One thread.
class Planner {
 public:
  Planner(Catalog& catalog, const Clock& clock, Observer& observer)
      : catalog_(catalog), clock_(clock), observer_(observer), began_(clock.now()), last_look_(began_) {}

  // What is planned and was not told before. What was skipped or missed is recorded.
  Result<std::vector<Planned>> look(Time now);
  // The next look tells all that is planned, as the first one does.
  void forget() { is_new_ = true; }
  // When the next schedule is due.
  Result<std::optional<Time>> next_due();

 private:
  struct Turn;

  Result<> plan_anew(Time now);
  Result<> plan_new_ones(Time now);
  Result<> plan(std::span<const Id> schedules, Time now);
  Result<std::vector<Planned>> come_due(Id schedule, Time now);
  Result<std::vector<Planned>> look_back(const std::vector<Planned>& by_now);
  std::vector<Turn> turns_of(const Schedule& schedule, const Timetable& table, Time now) const;

  Catalog& catalog_;
  const Clock& clock_;
  Observer& observer_;
  bool is_new_ = true;
  Time began_;      // before it, nobody was there
  Time last_look_;  // a clock that shows less was put back
};

}  // namespace holdfast::schedule
