// Starts planned runs at their moment, or when the flow's previous run has ended.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "catalog/catalog.h"
#include "engine/common/guard.h"
#include "engine/common/observer.h"
#include "engine/runs/begin.h"
#include "engine/schedule/planner.h"

namespace holdfast::schedule {

// Starts flows; implemented by the runs and by tests.
class Starter {
 public:
  virtual ~Starter() = default;
  // Returns a guard to hold until take_on(); EBUSY if no new work is accepted.
  virtual Result<Guard> admit() = 0;
  // Call inside a transaction; an error must end it.
  virtual Result<runs::FlowRun> begin(db::Connection& db, Id flow, const std::string& by) = 0;
  virtual void take_on(runs::FlowRun run) = 0;
};

// A flow never has two runs at once. If a turn comes meanwhile, `overlap` says whether it is skipped or
// waits. At most one turn waits, of a schedule or of the flow before it. Used by one thread. The
// constructor's arguments must outlive the object.
class Starts {
 public:
  Starts(Catalog& catalog, const Clock& clock, Starter& starter)
      : catalog_(catalog), clock_(clock), starter_(starter) {}

  void add(const Planned& planned) { pending_.emplace(planned.moment, planned.occurrence); }
  void forget();
  Result<> look(Time now);
  // Returns the next moment of a start. Turns that wait for a run are left out.
  std::optional<Time> next() const;

 private:
  // Result of a turn.
  struct Answer {
    bool waits = false;
    std::optional<OccurrenceReason> skipped{};
    std::optional<runs::FlowRun> run{};
  };

  Result<bool> start(const Occurrence& planned, Time now);  // false: the turn waits
  Result<Answer> answer(db::Connection& db, const Occurrence& occurrence, Time now, bool is_admitted);
  Result<Answer> answer(db::Connection& db, const Flow& flow, const std::string& by, bool somebody_waits);
  Result<> start_chained();
  Result<> start_chained(const ChainedStart& chained);

  Catalog& catalog_;
  const Clock& clock_;
  Starter& starter_;
  std::multimap<Time, Occurrence> pending_;  // by the moment of the start
  std::map<Id, Planned> waiting_;            // by the flow whose run must end first
};

}  // namespace holdfast::schedule
