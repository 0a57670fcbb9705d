// Begins runs of flows, on request and by schedule.
#pragma once

#include <vector>

#include "engine/common/observer.h"
#include "engine/runs/notices.h"
#include "engine/runs/prunings.h"
#include "engine/runs/runner.h"
#include "engine/schedule/starts.h"

namespace holdfast {

// Everything passed to the constructor must outlive it. Any thread may call.
class FlowRuns final : public schedule::Starter {
 public:
  FlowRuns(const capture::Services& services, runs::Runner& runner, runs::Notices& notices,
           repository::Definitions& definitions, runs::Prunings& prunings, Observer& observer)
      : services_(services),
        runner_(runner),
        notices_(notices),
        definitions_(definitions),
        prunings_(prunings),
        observer_(observer) {}

  // Begins a run of each flow, or of none; returns the executions. The caller holds the guard of admit().
  Result<std::vector<Id>> run(const std::vector<Id>& flows, const RunRequest& request, const Caller& caller);

  Result<Guard> admit() override { return runner_.admit(); }
  Result<runs::FlowRun> begin(db::Connection& db, Id flow, const std::string& by) override;
  void take_on(runs::FlowRun run) override;

 private:
  const capture::Services& services_;
  runs::Runner& runner_;
  runs::Notices& notices_;
  repository::Definitions& definitions_;
  runs::Prunings& prunings_;
  Observer& observer_;
};

}  // namespace holdfast
