// Executions: their jobs, and how far those are.
#include <algorithm>

#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/jobs.h"
#include "engine/common/services.h"
#include "engine/runs/runner.h"
#include "engine/status/views.h"

namespace holdfast {

// Adds up the jobs: of those that go on, what they have done so far. Each job is asked before its row is
// read, so that one that ends meanwhile is neither missed nor counted twice.
Result<> Status::add_up(ExecutionView& view) {
  std::vector<std::optional<Progress>> live;
  for (const Named& job : view.jobs) live.push_back(runner_.progress(job.id));
  Execution& execution = view.execution;
  execution.bytes_read = execution.bytes_transferred = execution.bytes_stored = 0;
  return services_.catalog.read([&](db::Connection& db) -> Result<> {
    for (std::size_t i = 0; i < live.size(); ++i) {
      HF_TRY(Job job, Jobs(db).get(view.jobs[i].id));
      if (live[i] && !is_final(job.status)) {
        count_live(job, *live[i]);
        view.progress.rate += live[i]->rate;
      }
      view.progress.done += job.bytes_done;
      view.progress.total += job.bytes_total;
      execution.bytes_read += job.bytes_read;
      execution.bytes_transferred += job.bytes_transferred;
      execution.bytes_stored += job.bytes_stored;
      if (live[i]) execution.revision = std::max(execution.revision, live[i]->revision);
    }
    if (view.progress.rate > 0)
      view.progress.seconds_left = static_cast<std::int64_t>(
          (view.progress.total - std::min(view.progress.done, view.progress.total)) / view.progress.rate);
    return {};
  });
}

Result<ExecutionView> Status::execution(Id id) {
  ExecutionView view;
  HF_CHECK(services_.catalog.read([&](db::Connection& db) -> Result<> {
    HF_TRY(view.execution, Executions(db).get(id));
    HF_TRY(const Flow flow, Flows(db).get(view.execution.flow_id));
    view.flow = flow.name;
    HF_TRY(view.jobs, Jobs(db).of_execution(id));
    return {};
  }));
  HF_CHECK(add_up(view));
  return view;
}

}  // namespace holdfast
