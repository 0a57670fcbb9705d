// How a run of a flow is accepted.
#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/machines.h"
#include "engine/audit.h"
#include "engine/rights.h"
#include "engine/runs/begin.h"
#include "engine/runs/capture_work.h"

namespace holdfast::runs {
namespace {

// A time, made unique with -2, -3 … when the flow has run in that second.
Result<std::string> free_name(Executions& executions, Id flow, Time now) {
  const std::string time = point_name(now);
  for (int n = 1;; ++n) {
    std::string name = n == 1 ? time : fmt::format("{}-{}", time, n);
    HF_TRY(const auto taken, executions.find(flow, name));
    if (!taken) return name;
  }
}

Result<> check_machines(const std::vector<std::string>& wanted, const Flow& flow, const std::string& target) {
  for (const std::string& name : wanted)
    if (name != target)
      return fail(ENOENT, "machine '{}' is not one of flow '{}', which backs up '{}'", name, flow.name,
                  target);
  return {};
}

Result<Flow> runnable_flow(db::Connection& db, Id id) {
  HF_TRY(Flow flow, Flows(db).get(id));
  if (!flow.complete || !flow.machine_id || !flow.repository_id)
    return fail(EINVAL, "flow '{}' is not complete; write its config.json with a target and a repository",
                flow.name);
  return flow;
}

Result<Execution> add_execution(db::Connection& db, const Flow& flow, const RunRequest& request,
                                const Caller& caller, Time now) {
  Executions executions(db);
  Execution execution;
  execution.id = new_id();
  execution.flow_id = flow.id;
  execution.name = request.name;
  if (execution.name.empty()) {
    HF_TRY(execution.name, free_name(executions, flow.id, now));
  }
  execution.type = request.by.empty() ? ExecutionType::manual : ExecutionType::api;
  execution.by = request.by.empty() ? user_name(caller.uid) : request.by;
  execution.jobs_created = 1;
  execution.created_at = now;
  HF_CHECK(executions.add(execution));
  return execution;
}

Result<Job> add_job(db::Connection& db, const Flow& flow, const RunRequest& request, Id execution, Time now) {
  Job job;
  job.id = new_id();
  job.name = fmt::format("{}", job.id);
  job.operation = request.kind ? to_word(*request.kind) : "auto";
  job.owner = "flows/" + flow.name;
  job.execution_id = execution;
  job.machine_id = flow.machine_id;
  job.repository_id = flow.repository_id;
  job.created_at = now;
  HF_CHECK(Jobs(db).add(job));
  return job;
}

}  // namespace

Result<Work> begin_flow(const capture::Services& services, Id flow_id, const RunRequest& request,
                        const Caller& caller) {
  return services.catalog.write([&](db::Connection& db) -> Result<Work> {
    HF_TRY(const Flow flow, runnable_flow(db, flow_id));
    HF_CHECK(check_owner_rights(db, flow));
    HF_TRY(const Machine machine, Machines(db).get(*flow.machine_id));
    HF_CHECK(check_machines(request.machines, flow, machine.name));
    const Time now = services.clock.now();
    HF_TRY(const Execution execution, add_execution(db, flow, request, caller, now));
    HF_TRY(const Job job, add_job(db, flow, request, execution.id, now));

    Work work{.job = job.id, .execution = execution.id, .machine = machine.id};
    work.name = fmt::format("flows/{}/executions/{}", flow.name, execution.name);
    work.perform = capture_work(services, {.machine = machine.id,
                                           .repository = *flow.repository_id,
                                           .kind = request.kind,
                                           .job = job.id,
                                           .execution_id = execution.id,
                                           .flow = flow.name,
                                           .execution = execution.name});
    Event event = make_event(services.clock, "flow.run", "flows/" + flow.name, caller);
    event.execution = work.name;
    event.job = job.name;
    HF_CHECK(record(db, event));
    return work;
  });
}

}  // namespace holdfast::runs
