#include "engine/runs/accounts.h"

#include <algorithm>
#include <set>

#include "catalog/stores/chained_starts.h"
#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/logs.h"
#include "catalog/stores/settings_store.h"
#include "engine/common/audit.h"

namespace holdfast::runs {
namespace {

constexpr char kInterrupted[] = "the daemon ended while this was running";

Result<std::vector<Job>> jobs_of(db::Connection& db, Id execution) {
  Jobs store(db);
  std::vector<Job> jobs;
  HF_TRY(const auto names, store.of_execution(execution));
  for (const Named& named : names) {
    HF_TRY(Job job, store.get(named.id));
    jobs.push_back(std::move(job));
  }
  return jobs;
}

RunStatus status_of(const std::vector<Job>& jobs) {
  const auto all = [&](RunStatus status) {
    return std::ranges::all_of(jobs, [&](const Job& job) { return job.status == status; });
  };
  if (all(RunStatus::success)) return RunStatus::success;
  if (all(RunStatus::error)) return RunStatus::error;
  if (all(RunStatus::cancelled)) return RunStatus::cancelled;
  return RunStatus::warning;
}

Result<std::string> path_of(db::Connection& db, const Execution& execution) {
  HF_TRY(const Flow flow, Flows(db).get(execution.flow_id));
  return fmt::format("flows/{}/executions/{}", flow.name, execution.name);
}

// Records an execution's end: its event, and the turns of flows that run after its flow.
Result<> tell_of_end(db::Connection& db, const Execution& execution, Time now) {
  HF_CHECK(ChainedStarts(db).add_after(execution.flow_id, execution.status, now));
  HF_TRY(const std::string path, path_of(db, execution));
  Event event = make_event(now, "execution.end", path, {});
  event.execution = path;
  event.result = execution.status == RunStatus::error ? EventResult::failed : EventResult::ok;
  event.reason =
      execution.reason ? std::string{to_word(*execution.reason)} : std::string{to_word(execution.status)};
  return record(db, event);
}

std::string sentence_of(RunStatus status, std::string_view message) {
  return message.empty() ? fmt::format("ended: {}", to_word(status))
                         : fmt::format("ended: {}: {}", to_word(status), message);
}

// Takes reason and message of the first job that was no success.
void explain(Execution& execution, const std::vector<Job>& jobs) {
  const auto bad =
      std::ranges::find_if(jobs, [](const Job& job) { return job.status != RunStatus::success; });
  if (bad == jobs.end()) return;
  execution.reason = bad->reason;
  execution.message = bad->message;
}

// Limit of rows deleted at each end, so that a lowered `keep_executions` is reached step by step.
constexpr int kForgottenAtOnce = 100;

// Deletes old executions of a flow.
Result<> forget_old(db::Connection& db, Id flow) {
  HF_TRY(const Settings settings, SettingsStore(db).get());
  HF_CHECK(Executions(db).prune(flow, settings.definition.keep_executions, kForgottenAtOnce));
  return {};
}

// Deletes old jobs outside of executions that worked for the same object as this one.
Result<> forget_older_than(db::Connection& db, const Job& job) {
  HF_TRY(const Settings settings, SettingsStore(db).get());
  HF_CHECK(Jobs(db).prune(job, settings.definition.keep_executions, kForgottenAtOnce));
  return {};
}

// Sums up the counters of the execution's jobs so far.
Result<std::vector<Job>> add_up(db::Connection& db, Execution& execution) {
  HF_TRY(auto jobs, jobs_of(db, execution.id));
  count_jobs(execution, jobs);
  execution.bytes_read = execution.bytes_transferred = execution.bytes_stored = 0;
  for (const Job& job : jobs) {
    execution.bytes_read += job.bytes_read;
    execution.bytes_transferred += job.bytes_transferred;
    execution.bytes_stored += job.bytes_stored;
  }
  return jobs;
}

}  // namespace

Job new_job(JobType type, const std::string& name, Time now) {
  Job job;
  job.id = new_id();
  job.name = name.empty() ? fmt::format("{}", job.id) : name;
  job.type = type;
  job.created_at = now;
  return job;
}

Result<> job_started(db::Connection& db, Id id, Time now) {
  Jobs jobs(db);
  HF_TRY(Job job, jobs.get(id));
  job.status = RunStatus::running;
  job.started_at = now;
  HF_CHECK(jobs.update(job));
  HF_CHECK(Logs(db).add(job, now, fmt::format("{} begins: {}", to_word(job.type), job.operation)));
  return job.execution_id ? execution_started(db, *job.execution_id, now) : Result<>();
}

Result<> execution_started(db::Connection& db, Id id, Time now) {
  Executions executions(db);
  HF_TRY(Execution execution, executions.get(id));
  if (execution.status != RunStatus::pending) return {};
  execution.status = RunStatus::running;
  execution.started_at = now;
  return executions.update(execution);
}

Result<> add_to_execution(db::Connection& db, const Job& job) {
  HF_CHECK(Jobs(db).add(job));
  Executions executions(db);
  HF_TRY(Execution execution, executions.get(*job.execution_id));
  ++execution.jobs_created;
  return executions.update(execution);
}

void count_jobs(Execution& execution, const std::vector<Job>& jobs) {
  const auto count = [&](RunStatus status) { return std::ranges::count(jobs, status, &Job::status); };
  execution.jobs_completed = count(RunStatus::success) + count(RunStatus::warning);
  execution.jobs_failed = count(RunStatus::error);
  execution.jobs_skipped = count(RunStatus::cancelled);
  execution.machines_processed = std::ranges::count_if(jobs, [](const Job& job) {
    return (job.type == JobType::backup || job.type == JobType::replication) &&
           (job.status == RunStatus::success || job.status == RunStatus::warning);
  });
}

namespace {

Result<Job> end_job(db::Connection& db, Id id, const JobEnd& end, Time now) {
  Jobs jobs(db);
  HF_TRY(Job job, jobs.get(id));
  job.status = end.status;
  job.reason = end.reason;
  job.message = end.message;
  if (!end.metadata.empty()) job.metadata = end.metadata;
  job.bytes_done = end.bytes_done;
  job.bytes_total = end.bytes_total;
  job.bytes_read = end.bytes_read;
  job.bytes_transferred = end.bytes_transferred;
  job.bytes_stored = end.bytes_stored;
  job.completed_at = now;
  HF_CHECK(jobs.update(job));
  HF_CHECK(Logs(db).add(job, now, sentence_of(end.status, end.message)));
  return job;
}

// Counts the jobs of the execution anew. Returns whether all its jobs have ended.
Result<bool> bring_up_to_date(db::Connection& db, Id id) {
  Executions executions(db);
  HF_TRY(Execution execution, executions.get(id));
  HF_TRY(const auto all, add_up(db, execution));
  HF_CHECK(executions.update(execution));
  return std::ranges::all_of(all, [](const Job& one) { return is_final(one.status); });
}

}  // namespace

Result<bool> job_ended(db::Connection& db, Id id, const JobEnd& end, Time now) {
  HF_TRY(const Job job, end_job(db, id, end, now));
  if (job.execution_id) return bring_up_to_date(db, *job.execution_id);
  HF_CHECK(forget_older_than(db, job));
  return false;
}

Result<std::vector<Execution>> jobs_ended(db::Connection& db, const std::vector<EndOfJob>& ends, Time now) {
  std::set<Id> touched;
  for (const auto& [id, end] : ends) {
    HF_TRY(const Job job, end_job(db, id, end, now));
    if (job.execution_id) touched.insert(*job.execution_id);
  }
  std::vector<Execution> ended;
  for (const Id id : touched) {
    HF_TRY(const bool all_have_ended, bring_up_to_date(db, id));
    if (!all_have_ended) continue;
    HF_TRY(Execution execution, end_execution(db, id, EndReason::failed, "", now));
    ended.push_back(std::move(execution));
  }
  return ended;
}

Result<Execution> ending_of(db::Connection& db, Id id, Time now) {
  HF_TRY(Execution execution, Executions(db).get(id));
  HF_TRY(const auto jobs, add_up(db, execution));
  execution.status = status_of(jobs);
  execution.completed_at = now;
  explain(execution, jobs);
  return execution;
}

Result<Execution> end_execution(db::Connection& db, Id id, EndReason why, std::string_view remark, Time now) {
  HF_TRY(Execution execution, ending_of(db, id, now));
  if (!remark.empty() && execution.status == RunStatus::success) {
    execution.status = RunStatus::warning;
    execution.reason = why;
    execution.message = remark;
  }
  HF_CHECK(Executions(db).update(execution));
  HF_CHECK(tell_of_end(db, execution, now));
  HF_CHECK(forget_old(db, execution.flow_id));
  return execution;
}

Result<Execution> end_without_jobs(db::Connection& db, Execution execution, std::string_view why, Time now) {
  execution.status = RunStatus::warning;
  execution.reason = EndReason::no_machines;
  execution.message = why;
  execution.started_at = execution.completed_at = now;
  HF_CHECK(Executions(db).update(execution));
  HF_CHECK(Logs(db).add(execution, now, sentence_of(execution.status, why)));
  HF_CHECK(tell_of_end(db, execution, now));
  HF_CHECK(forget_old(db, execution.flow_id));
  return execution;
}

Result<Interrupted> end_interrupted(db::Connection& db, Time now) {
  const JobEnd end{.status = RunStatus::error, .reason = EndReason::interrupted, .message = kInterrupted};
  Interrupted interrupted;
  HF_TRY(const auto jobs, Jobs(db).unfinished());
  for (const Job& job : jobs) HF_CHECK(end_job(db, job.id, end, now));
  interrupted.jobs = jobs.size();

  Executions executions(db);
  HF_TRY(const auto unfinished, executions.unfinished());
  for (Execution execution : unfinished) {
    HF_TRY(const auto its_jobs, Jobs(db).of_execution(execution.id));
    if (its_jobs.empty()) {
      execution.status = RunStatus::error;
      execution.reason = EndReason::interrupted;
      execution.message = kInterrupted;
      execution.completed_at = now;
      HF_CHECK(executions.update(execution));
      HF_CHECK(tell_of_end(db, execution, now));
    } else {
      HF_TRY(execution, end_execution(db, execution.id, EndReason::interrupted, kInterrupted, now));
    }
    interrupted.executions.push_back(std::move(execution));
  }
  return interrupted;
}

}  // namespace holdfast::runs
