#include "engine/requests/flow_runs.h"

namespace holdfast {

Result<std::vector<Id>> FlowRuns::run(const std::vector<Id>& flows, const RunRequest& request,
                                      const Caller& caller) {
  HF_TRY(auto runs, runs::begin_flows(services_, prunings_, flows, request, caller));
  std::vector<Id> executions;
  for (runs::FlowRun& run : runs) {
    executions.push_back(run.execution);
    for (runs::Work& work : run.works) work.asked_by = runs::Asked{.uid = caller.uid};
    take_on(std::move(run));
  }
  return executions;
}

Result<runs::FlowRun> FlowRuns::begin(db::Connection& db, Id flow, const std::string& by) {
  return runs::begin_scheduled_flow(db, services_, prunings_, flow, by);
}

void FlowRuns::take_on(runs::FlowRun run) {
  definitions_.changed();  // a repository may be back
  prunings_.judge_retired();
  if (run.works.empty()) observer_.changed(ObjectKind::execution, run.execution);
  if (run.ended) notices_.execution_ended(*run.ended);
  for (runs::Work& work : run.works) runner_.add(std::move(work));
}

}  // namespace holdfast
