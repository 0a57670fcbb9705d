// Executions: their jobs, and how far those are.
#include <algorithm>

#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/jobs.h"
#include "engine/common/services.h"
#include "engine/runs/runner.h"
#include "engine/status/status.h"

namespace holdfast {

void Status::add_progress(ExecutionView& view) {
  for (const Named& job : view.jobs) {
    const auto live = runner_.progress(job.id);
    if (!live) continue;
    view.progress.done += live->done;
    view.progress.total += live->total;
    view.progress.rate += live->rate;
    view.execution.revision = std::max(view.execution.revision, live->revision);
  }
  if (view.progress.rate > 0)
    view.progress.seconds_left = static_cast<std::int64_t>(
        (view.progress.total - std::min(view.progress.done, view.progress.total)) / view.progress.rate);
}

Result<ExecutionView> Status::execution(Id id) {
  ExecutionView view;
  HF_CHECK(services_.catalog.read([&](db::Connection& db) -> Result<> {
    HF_TRY(view.execution, Executions(db).get(id));
    HF_TRY(const Flow flow, Flows(db).get(view.execution.flow_id));
    view.flow = flow.name;
    HF_TRY(view.jobs, Jobs(db).of_execution(id));
    if (!is_final(view.execution.status)) return {};
    for (const Named& named : view.jobs) {
      HF_TRY(const Job job, Jobs(db).get(named.id));
      view.progress.done += job.bytes_done;
      view.progress.total += job.bytes_total;
    }
    return {};
  }));
  if (!is_final(view.execution.status)) add_progress(view);
  return view;
}

}  // namespace holdfast
