// Turns the times of schedules into occurrences, and keeps each schedule's next time in the catalog.
#pragma once

#include <span>
#include <vector>

#include "catalog/catalog.h"
#include "catalog/model/entities.h"
#include "engine/common/observer.h"
#include "engine/schedule/timetable.h"

namespace holdfast::schedule {

// A schedule's time at which a flow is to start, and the moment of the start; jitter makes the moment later.
struct Planned {
  Occurrence occurrence;
  Time moment{};
};

// Used by one thread. The constructor's arguments must outlive the object.
class Planner {
 public:
  Planner(Catalog& catalog, const Clock& clock, Observer& observer)
      : catalog_(catalog), clock_(clock), observer_(observer), began_(clock.now()), last_look_(began_) {}

  // Returns newly planned times. Records skipped and missed ones.
  Result<std::vector<Planned>> look(Time now);
  // Makes the next look return everything planned, as the first one does.
  void forget() { is_new_ = true; }
  // Returns the time at which the next schedule is due.
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
  Time began_;      // start of this process; earlier times were missed
  Time last_look_;  // a clock below it was put back
};

}  // namespace holdfast::schedule
