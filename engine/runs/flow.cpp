// Accepts runs of flows.
#include <algorithm>

#include "catalog/model/rights.h"
#include "catalog/stores/boot_checks.h"
#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/groups.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/policies.h"
#include "catalog/stores/retention.h"
#include "engine/common/audit.h"
#include "engine/common/rights.h"
#include "engine/runs/begin.h"
#include "engine/runs/boot_work.h"
#include "engine/runs/capture_work.h"
#include "engine/runs/hooks.h"
#include "engine/runs/prunings.h"
#include "engine/runs/replication_work.h"
#include "engine/runs/verification_work.h"

namespace holdfast::runs {
namespace {

// Returns a name from the time, with -2, -3 … if the flow has already run in that second.
Result<std::string> free_name(Executions& executions, Id flow, Time now) {
  const std::string time = point_name(now);
  for (int n = 1;; ++n) {
    std::string name = n == 1 ? time : fmt::format("{}-{}", time, n);
    HF_TRY(const auto taken, executions.find(flow, name));
    if (!taken) return name;
  }
}

// Returns the wanted machines of the flow, or all enabled ones. A caller wants none that he may not see. A
// wanted machine that can't run refuses the whole request.
Result<std::vector<Member>> machines_of(db::Connection& db, const Flow& flow,
                                        const std::vector<std::string>& wanted,
                                        const std::optional<Caller>& caller) {
  std::vector<Member> members;
  if (flow.machine_id) {
    HF_TRY(std::string name, Machines(db).name_of(*flow.machine_id));
    HF_CHECK(check_not_retired(db, *flow.machine_id));
    members.push_back({.machine_id = *flow.machine_id, .machine = std::move(name)});
  } else {
    HF_TRY(members, Groups(db).members(*flow.group_id));
  }
  for (const std::string& name : wanted) {
    const auto found = std::ranges::find(members, name, &Member::machine);
    bool is_known = found != members.end();
    if (is_known && caller) {
      HF_TRY(const Ownership its, Machines(db).ownership(found->machine_id));
      is_known = may_see(*caller, its);
    }
    if (!is_known)
      return fail(ENOENT, "machine '{}' is not one of flow '{}', which backs up {}", name, flow.name,
                  flow.definition.target);
    HF_CHECK(check_not_retired(db, found->machine_id));
    if (!found->enabled) return fail(EINVAL, "machine '{}' is disabled in {}", name, flow.definition.target);
  }
  for (Member& member : members) {
    HF_TRY(const auto retired, Retention(db).retirement(member.machine_id));
    if (retired) member.enabled = false;
  }
  std::erase_if(members, [&](const Member& member) {
    return !member.enabled || (!wanted.empty() && std::ranges::find(wanted, member.machine) == wanted.end());
  });
  return members;
}

Result<Flow> runnable_flow(db::Connection& db, Id id) {
  HF_TRY(Flow flow, Flows(db).get(id));
  if (!flow.complete || (!flow.machine_id && !flow.group_id) || !flow.repository_id)
    return fail(EINVAL, "flow '{}' is not complete; write its config.json with a target and a repository",
                flow.name);
  if (flow.definition.type == FlowType::replication && !flow.from_repository_id)
    return fail(EINVAL, "flow '{}' is not complete; its config.json names no repository to copy from",
                flow.name);
  return flow;
}

// Refuses fields that only apply to captures, because a replication copies existing points.
Result<> check_request(const Flow& flow, const RunRequest& request) {
  if (flow.definition.type != FlowType::replication) return {};
  if (request.kind) return fail(EINVAL, "flow '{}' copies points as they are; leave out \"type\"", flow.name);
  if (request.sample != 0)
    return fail(EINVAL, "flow '{}' copies points and reads no source; leave out \"sample\"", flow.name);
  return {};
}

// The user, or the schedule or flow, that starts the run.
struct Cause {
  ExecutionType type = ExecutionType::manual;
  std::string name;
  std::optional<Caller> caller;
};

Cause cause_of(const RunRequest& request, const Caller& caller) {
  if (request.by.empty()) return {ExecutionType::manual, user_name(caller.uid), caller};
  return {ExecutionType::api, request.by, caller};
}

Result<Execution> add_execution(db::Connection& db, const Flow& flow, const RunRequest& request,
                                const Cause& cause, std::size_t jobs, Time now) {
  Executions executions(db);
  Execution execution;
  execution.id = new_id();
  execution.flow_id = flow.id;
  execution.name = request.name;
  if (execution.name.empty()) {
    HF_TRY(execution.name, free_name(executions, flow.id, now));
  }
  execution.type = cause.type;
  execution.by = cause.caller;
  execution.by_name = cause.name;
  execution.jobs_created = static_cast<std::int64_t>(jobs);
  execution.created_at = now;
  HF_CHECK(executions.add(execution));
  return execution;
}

Result<Job> add_job(db::Connection& db, const Flow& flow, Id machine, const RunRequest& request, Id execution,
                    Time now) {
  const bool copies = flow.definition.type == FlowType::replication;
  Job job = new_job(copies ? JobType::replication : JobType::backup, "", now);
  job.operation = copies ? "copy" : request.kind ? to_word(*request.kind) : "auto";
  job.owner = "flows/" + flow.name;
  job.execution_id = execution;
  job.machine_id = machine;
  job.repository_id = flow.repository_id;
  HF_CHECK(Jobs(db).add(job));
  return job;
}

// Returns the flow's policy. Without one, jobs are not retried.
Result<PolicyDefinition> policy_of(db::Connection& db, const Flow& flow) {
  if (!flow.policy_id) return PolicyDefinition{.retries = 0};
  HF_TRY(Policy policy, Policies(db).get(*flow.policy_id));
  return std::move(policy.definition);
}

std::shared_ptr<const Course> course_of(const capture::Services& services, const Flow& flow,
                                        const Execution& execution, const std::string& path) {
  auto course = std::make_shared<Course>(
      Course{.execution = execution.id, .name = path, .timeout = flow.definition.timeout});
  if (flow.definition.only_if.empty() && flow.definition.hooks.empty()) return course;
  const auto hooks = std::make_shared<Hooks>(services, flow, execution.id);
  course->before = [hooks](const source::Cancel& cancel) { return hooks->before(cancel); };
  course->after = [hooks](const Execution& ending, const source::Cancel& cancel) {
    return hooks->after(ending, cancel);
  };
  return course;
}

// Returns the work with one more step: the machine is judged once points of it were made or carried.
decltype(Work::perform) judged_after(Prunings& prunings, Id machine, decltype(Work::perform) perform) {
  return [&prunings, machine, perform = std::move(perform)](ProgressMeter& progress,
                                                            const source::Cancel& cancel) {
    auto end = perform(progress, cancel);
    if (end) prunings.judge(machine);
    return end;
  };
}

// Returns the point that the backup has made; nullopt if it made none.
Result<std::optional<Point>> point_of(db::Connection& db, const Work& backup, const JobEnd& end) {
  if (end.status != RunStatus::success && end.status != RunStatus::warning) return std::nullopt;
  HF_TRY(const auto points, Points(db).of_execution(backup.course->execution));
  const auto point = std::ranges::find(points, std::optional{backup.job}, &Point::job_id);
  return point == points.end() ? std::nullopt : std::optional{*point};
}

// Returns a copy of the work's facts, for what follows it.
Work facts_of(const Work& work) {
  return {.job = work.job,
          .course = work.course,
          .flow = work.flow,
          .priority = work.priority,
          .repository = work.repository,
          .name = work.name,
          .stall = work.stall};
}

// Adds one more job of the execution, which follows the backup, and returns its work without what it does.
Result<Work> add_following(db::Connection& db, const Work& backup, JobType type, std::string_view operation,
                           Time now) {
  HF_TRY(const Job made_by, Jobs(db).get(backup.job));
  Job job = new_job(type, "", now);
  job.operation = operation;
  job.owner = made_by.owner;
  job.execution_id = made_by.execution_id;
  job.machine_id = made_by.machine_id;
  job.repository_id = made_by.repository_id;
  job.parent_job_id = made_by.id;
  HF_CHECK(add_to_execution(db, job));
  Work work = facts_of(backup);
  work.job = job.id;
  return work;
}

// Returns what follows a backup, or its verification: a boot check of its point, if one is due.
decltype(Work::next) booted_after(const capture::Services& services, const Work& backup,
                                  const PolicyDefinition& policy) {
  if (!policy.boot_check) return {};
  return [&services, of = facts_of(backup), every = *policy.boot_check,
          wanted = boot::BootRequest{.point = {},
                                     .expect = policy.boot_expect,
                                     .timeout = policy.boot_timeout,
                                     .bus = policy.boot_bus}](
             db::Connection& db, const JobEnd& end) -> Result<std::optional<Work>> {
    HF_TRY(const auto point, point_of(db, of, end));
    if (!point) return std::nullopt;
    HF_TRY(const auto times, BootChecks(db).times_of(point->machine_id));
    const Time now = services.clock.now();
    if (times.checked_at && now - *times.checked_at < every) return std::nullopt;
    HF_TRY(Work work, add_following(db, of, JobType::boot_check, print_boot_expect(wanted.expect), now));
    boot::BootRequest request = wanted;
    request.point = point->id;
    work.boots_guest = true;
    work.perform = boot_work(services, std::move(request));
    return work;
  };
}

// Returns what follows a backup that made a point: its verification, as one more job of the execution.
decltype(Work::next) verified_after(const capture::Services& services, Prunings& prunings, const Work& backup,
                                    const PolicyDefinition& policy) {
  return [&services, &prunings, of = facts_of(backup), level = *policy.verify,
          then = booted_after(services, backup, policy)](db::Connection& db,
                                                         const JobEnd& end) -> Result<std::optional<Work>> {
    HF_TRY(const auto point, point_of(db, of, end));
    if (!point) return std::nullopt;
    HF_TRY(Work work, add_following(db, of, JobType::verify, to_word(level), services.clock.now()));
    // The point counts as good only after it was looked at; until then no older point may go because of it.
    work.perform = [&prunings, machine = point->machine_id,
                    verify = verification_work(services, {.points = {point->id}}, level)](
                       ProgressMeter& progress, const source::Cancel& cancel) -> Result<JobEnd> {
      auto verified = verify(progress, cancel);
      if (verified) prunings.judge(machine);
      return verified;
    };
    work.next = then;
    return work;
  };
}

void captures(const capture::Services& services, Prunings& prunings, const Flow& flow,
              const RunRequest& request, const PolicyDefinition& policy, const Execution& execution,
              Work& work) {
  work.perform = capture_work(
      services, {.machine = *work.machine,
                 .repository = *flow.repository_id,
                 .kind = request.kind,
                 .sample = request.sample != 0 ? request.sample : static_cast<unsigned>(policy.sample),
                 .bandwidth = request.bandwidth ? request.bandwidth : policy.bandwidth,
                 .full_every = policy.full_every,
                 .job = work.job,
                 .execution_id = execution.id,
                 .flow = flow.name,
                 .execution = execution.name});
  work.next =
      policy.verify ? verified_after(services, prunings, work, policy) : booted_after(services, work, policy);
  if (!policy.verify && flow.policy_id)
    work.perform = judged_after(prunings, *work.machine, std::move(work.perform));
}

void replicates(const capture::Services& services, Prunings& prunings, const Flow& flow,
                const RunRequest& request, const PolicyDefinition& policy, const Execution& execution,
                Work& work) {
  work.perform =
      replication_work(services, {.flow = flow.id,
                                  .machine = *work.machine,
                                  .from = *flow.from_repository_id,
                                  .to = *flow.repository_id,
                                  .bandwidth = request.bandwidth ? request.bandwidth : policy.bandwidth,
                                  .job = work.job,
                                  .execution_id = execution.id,
                                  .execution = work.name});
  if (flow.policy_id) work.perform = judged_after(prunings, *work.machine, std::move(work.perform));
}

Result<FlowRun> begin_flow(db::Connection& db, const capture::Services& services, Prunings& prunings,
                           Id flow_id, const RunRequest& request, const Cause& cause) {
  HF_TRY(const Flow flow, runnable_flow(db, flow_id));
  HF_CHECK(check_request(flow, request));
  HF_CHECK(check_owner_rights(db, flow));
  HF_TRY(const auto machines, machines_of(db, flow, request.machines, cause.caller));
  HF_TRY(const PolicyDefinition policy, policy_of(db, flow));
  const Time now = services.clock.now();
  HF_TRY(const Execution execution, add_execution(db, flow, request, cause, machines.size(), now));
  const std::string path = fmt::format("flows/{}/executions/{}", flow.name, execution.name);
  Event event = make_event(services.clock.now(), "flow.run", "flows/" + flow.name, cause.caller);
  if (!cause.caller) event.reason = cause.name;
  event.execution = path;

  const auto course = course_of(services, flow, execution, path);
  FlowRun run{.execution = execution.id, .works = {}, .ended = {}};
  for (const Member& machine : machines) {
    HF_TRY(const Job job, add_job(db, flow, machine.machine_id, request, execution.id, now));
    if (machines.size() == 1) event.job = job.name;
    Work work{.job = job.id,
              .course = course,
              .flow = flow.id,
              .priority = flow.definition.priority,
              .machine = machine.machine_id,
              .repository = flow.repository_id,
              .name = path,
              .stall = flow.definition.stall,
              .retries = policy.retries};
    if (flow.definition.type == FlowType::replication)
      replicates(services, prunings, flow, request, policy, execution, work);
    else
      captures(services, prunings, flow, request, policy, execution, work);
    run.works.push_back(std::move(work));
  }
  HF_CHECK(record(db, event));
  if (machines.empty()) {
    HF_TRY(run.ended,
           end_without_jobs(db, execution, flow.definition.target + " has no enabled machine", now));
  }
  return run;
}

}  // namespace

Result<std::vector<FlowRun>> begin_flows(const capture::Services& services, Prunings& prunings,
                                         const std::vector<Id>& flows, const RunRequest& request,
                                         const Caller& caller) {
  return services.catalog.write([&](db::Connection& db) -> Result<std::vector<FlowRun>> {
    std::vector<FlowRun> runs;
    for (const Id flow : flows) {
      HF_TRY(auto run, begin_flow(db, services, prunings, flow, request, cause_of(request, caller)));
      runs.push_back(std::move(run));
    }
    return runs;
  });
}

Result<FlowRun> begin_scheduled_flow(db::Connection& db, const capture::Services& services,
                                     Prunings& prunings, Id flow, const std::string& by) {
  return begin_flow(db, services, prunings, flow, {}, {ExecutionType::scheduled, by, {}});
}

}  // namespace holdfast::runs
