// Decides what starts when, and records what became of each time.
//
//   a schedule's time comes ─► planned ─┬─► started     its execution exists, by the same transaction
//                                       ├─► skipped     with a reason (OccurrenceReason)
//                                       └─► waits       for its jitter; overlap: queue for the flow's run
//   the time was passed over ─► missed                  daemon_was_down, passed_over
//                                 └───► planned         the last one, if the schedule says run_once
//
// A flow gets each time of a schedule once, even if the process is killed or the clock changes; the catalog
// ensures it. A clock put back repeats no time. A clock put forward passes times over, and the last of them
// counts as missed. A look costs as much as is due. All schedules are read only at start and after the clock
// was put back.
#pragma once

#include "engine/schedule/planner.h"
#include "engine/schedule/starts.h"

namespace holdfast::schedule {

// Used by one thread. The constructor's arguments must outlive the object.
class Agenda {
 public:
  Agenda(Catalog& catalog, const Clock& clock, Starter& starter, Observer& observer)
      : catalog_(catalog),
        clock_(clock),
        planner_(catalog, clock, observer),
        starts_(catalog, clock, starter) {}

  // Does what is due. Returns the time of the next look; a changed definition or the end of a run calls for
  // an earlier one. After an error the next look reloads the catalog. Nothing is due while nobody has
  // confirmed a recovered catalog (catalog/stores/recovered.h).
  Result<std::optional<Time>> look();

 private:
  Result<std::optional<Time>> look_at(Time now);

  Catalog& catalog_;
  const Clock& clock_;
  Planner planner_;
  Starts starts_;
};

}  // namespace holdfast::schedule
