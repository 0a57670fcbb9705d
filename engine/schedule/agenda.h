// What is to start, and what has come of each time.
//
//   a schedule's time comes ─► planned ──► started      with its execution, in one transaction
//                                 │  └───► skipped      already_running, blackout, disabled, draining,
//                                 refused └ waits for its jitter, or (overlap: queue) for the flow's run to
//                                 end
//   nobody was there for it ─► missed                   daemon_was_down, passed_over; of several the last one
//   is
//                                                       planned after all where the schedule says run_once
//
// A flow has each time of a schedule once (the catalog sees to it), whatever clocks do and whenever the
// process dies: a clock that is put back meets times that have been; one that is put forward passes times
// over, and the last of them counts as missed. What it costs grows with what is due; all schedules are looked
// at once a life, and when the clock was put back.
#pragma once

#include "engine/schedule/planner.h"
#include "engine/schedule/starts.h"

namespace holdfast::schedule {

// One thread.
class Agenda {
 public:
  Agenda(Catalog& catalog, const Clock& clock, Starter& starter, Observer& observer)
      : clock_(clock), planner_(catalog, clock, observer), starts_(catalog, clock, starter) {}

  // Does what is due. When it wants to look again at the latest: a change of definitions, or the end of a
  // run, may want it sooner. After an error the next look begins with what the catalog has.
  Result<std::optional<Time>> look();

 private:
  Result<std::optional<Time>> look_at(Time now);

  const Clock& clock_;
  Planner planner_;
  Starts starts_;
};

}  // namespace holdfast::schedule
