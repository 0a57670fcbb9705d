// Executions: their jobs, and how far those are.
#include <algorithm>

#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/jobs.h"
#include "engine/common/services.h"
#include "engine/runs/accounts.h"
#include "engine/runs/runner.h"
#include "engine/status/views.h"

namespace holdfast {

// Adds up the jobs: of those that go on, what they have done so far. Each job is asked before its row is
// read, so that one that ends meanwhile is neither missed nor counted twice.
Result<> Status::add_up(ExecutionView& view, bool sees_all) {
  std::vector<std::optional<Progress>> live;
  for (const Named& job : view.jobs) live.push_back(runner_.progress(job.id));
  Execution& execution = view.execution;
  execution.bytes_read = execution.bytes_transferred = execution.bytes_stored = 0;
  return services_.catalog.read([&](db::Connection& db) -> Result<> {
    std::vector<Job> jobs;
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
      jobs.push_back(std::move(job));
    }
    if (!sees_all) {
      execution.jobs_created = std::ssize(jobs);
      runs::count_jobs(execution, jobs);
    }
    if (view.progress.rate > 0)
      view.progress.seconds_left = static_cast<std::int64_t>(
          (view.progress.total - std::min(view.progress.done, view.progress.total)) / view.progress.rate);
    return {};
  });
}

Result<std::string> message_of(db::Connection& db, const Execution& execution, Sight& sight) {
  if (sight.covers_everything() || execution.message.empty()) return execution.message;
  HF_TRY(const auto jobs, Jobs(db).of_execution(execution.id));
  for (const Named& named : jobs) {
    HF_TRY(const Job job, Jobs(db).get(named.id));
    if (job.message == execution.message && !sight.covers(ObjectKind::job, job.id)) return std::string{};
  }
  return sight.told(execution.message, Sentence::is_old);
}

Result<ExecutionView> Status::execution(Id id, const Caller& reader) {
  ExecutionView view;
  std::size_t all = 0;
  HF_CHECK(services_.catalog.read([&](db::Connection& db) -> Result<> {
    HF_TRY(view.execution, Executions(db).get(id));
    HF_TRY(const Flow flow, Flows(db).get(view.execution.flow_id));
    view.flow = flow.name;
    HF_TRY(view.jobs, Jobs(db).of_execution(id));
    all = view.jobs.size();
    Sight sight(db, reader);
    sight.keep_seen(ObjectKind::job, view.jobs);
    HF_TRY(view.execution.message, message_of(db, view.execution, sight));
    view.execution.by_name = sight.told(view.execution.by_name, Sentence::is_old);
    return {};
  }));
  HF_CHECK(add_up(view, view.jobs.size() == all));
  return view;
}

}  // namespace holdfast
