// Starts what is planned: at its moment, or when the run before it has ended.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "catalog/catalog.h"
#include "engine/observer.h"
#include "engine/runs/begin.h"
#include "engine/schedule/planner.h"

namespace holdfast::schedule {

// How flows start: the runs, or a test.
class Starter {
 public:
  virtual ~Starter() = default;
  // Kept until what was begun is taken on. EBUSY: no new work is taken.
  virtual Result<std::shared_ptr<void>> admit() = 0;
  // In a transaction, which an error ends.
  virtual Result<runs::FlowRun> begin(db::Connection& db, Id flow, const std::string& by) = 0;
  virtual void take_on(runs::FlowRun run) = 0;
};

// A flow never has two runs at once. Where one has its turn meanwhile, `overlap` says whether it is skipped,
// or waits: one at most, be it of a schedule or of the flow before it. One thread.
class Starts {
 public:
  Starts(Catalog& catalog, const Clock& clock, Starter& starter)
      : catalog_(catalog), clock_(clock), starter_(starter) {}

  void add(const Planned& planned) { pending_.emplace(planned.moment, planned.occurrence); }
  void forget();
  Result<> look(Time now);
  // When the next one is to start. Those that wait for a run are not among them.
  std::optional<Time> next() const;

 private:
  // What becomes of a turn.
  struct Answer {
    bool waits = false;
    std::optional<OccurrenceReason> skipped{};
    std::optional<runs::FlowRun> run{};
  };

  Result<bool> start(const Occurrence& planned, Time now);  // false: it waits
  Result<Answer> answer(db::Connection& db, const Occurrence& occurrence, Time now, bool is_admitted);
  Result<Answer> answer(db::Connection& db, const Flow& flow, const std::string& by, bool somebody_waits);
  Result<> start_chained();
  Result<> start_chained(const ChainedStart& chained);

  Catalog& catalog_;
  const Clock& clock_;
  Starter& starter_;
  std::multimap<Time, Occurrence> pending_;  // by the moment of their start
  std::map<Id, Planned> waiting_;            // by the flow whose run has to end first
};

}  // namespace holdfast::schedule
