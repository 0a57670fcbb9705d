#include "engine/runs/runner.h"

#include <algorithm>

#include "catalog/base/log.h"
#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/machines.h"
#include "engine/audit.h"
#include "engine/runs/accounts.h"

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

JobEnd end_of(const Result<capture::BackupOutcome>& outcome, bool stopping) {
  JobEnd end;
  if (!outcome) {
    end.message = outcome.error().message;
    if (outcome.error().code != ECANCELED) {
      end.status = RunStatus::error;
      end.reason = outcome.error().code == ENOSPC ? EndReason::no_space : EndReason::failed;
    } else if (stopping) {
      end.status = RunStatus::error;
      end.reason = EndReason::interrupted;
      end.message = "the daemon was stopped";
    } else {
      end.status = RunStatus::cancelled;
      end.reason = EndReason::cancelled;
    }
    return end;
  }
  end.bytes_read = end.bytes_transferred = outcome->bytes_read;
  end.bytes_stored = outcome->point.bytes_stored;
  if (outcome->unplanned_full) {
    end.status = RunStatus::warning;
    end.reason = EndReason::unplanned_full;
    end.message = fmt::format("a disk was read whole: {}", to_word(*outcome->unplanned_full));
  } else {
    end.message = outcome->remark;
  }
  return end;
}

}  // namespace

Runner::Runner(const capture::Services& services, Observer& observer, unsigned workers)
    : services_(services), observer_(observer) {
  for (unsigned i = 0; i < workers; ++i) workers_.emplace_back([this] { work(); });
}

Runner::~Runner() { stop(); }

bool Runner::stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

Result<Id> Runner::run(Id flow_id, const RunRequest& request, const Caller& caller) {
  if (stopping()) return fail(EBUSY, "the daemon is stopping; it takes no new runs");
  const Time now = services_.clock.now();
  auto task = std::make_shared<Task>();
  Execution execution;
  Job job;
  HF_CHECK(services_.catalog.write([&](db::Connection& db) -> Result<> {
    HF_TRY(const Flow flow, Flows(db).get(flow_id));
    if (!flow.complete || !flow.machine_id || !flow.repository_id)
      return fail(EINVAL, "flow '{}' is not complete; write its config.json with a target and a repository",
                  flow.name);
    HF_TRY(const Machine machine, Machines(db).get(*flow.machine_id));
    HF_CHECK(check_machines(request.machines, flow, machine.name));

    Executions executions(db);
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

    job.id = new_id();
    job.name = fmt::format("{}", job.id);
    job.operation = request.kind ? to_word(*request.kind) : "auto";
    job.owner = "flows/" + flow.name;
    job.execution_id = execution.id;
    job.machine_id = machine.id;
    job.repository_id = flow.repository_id;
    job.created_at = now;
    HF_CHECK(Jobs(db).add(job));

    task->name = fmt::format("flows/{}/executions/{}", flow.name, execution.name);
    task->request = {.machine = machine.id,
                     .repository = *flow.repository_id,
                     .kind = request.kind,
                     .job = job.id,
                     .execution_id = execution.id,
                     .flow = flow.name,
                     .execution = execution.name};

    Event event = make_event(services_.clock, "flow.run", "flows/" + flow.name, caller);
    event.execution = task->name;
    event.job = job.name;
    return record(db, event);
  }));
  enqueue(task);
  observer_.changed(ObjectKind::execution, execution.id);
  return execution.id;
}

void Runner::enqueue(const std::shared_ptr<Task>& task) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) task->cancel.request();
    tasks_[task->request.job] = task;
    waiting_.push_back(task);
  }
  changed_.notify_one();
}

Result<> Runner::cancel(Id job) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = tasks_.find(job);
    if (found == tasks_.end()) return fail(EINVAL, "it has ended; there is nothing to cancel");
    found->second->cancel.request();
  }
  changed_.notify_all();
  return {};
}

std::optional<Progress> Runner::progress(Id job) {
  std::shared_ptr<Task> task;
  {
    const std::lock_guard lock(mutex_);
    const auto found = tasks_.find(job);
    if (found == tasks_.end()) return std::nullopt;
    task = found->second;
  }
  return task->progress.snapshot();
}

bool Runner::captures(Id machine) {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(tasks_,
                             [&](const auto& entry) { return entry.second->request.machine == machine; });
}

void Runner::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const auto& [job, task] : tasks_) task->cancel.request();
  }
  changed_.notify_all();
  for (std::thread& worker : workers_)
    if (worker.joinable()) worker.join();
}

std::shared_ptr<Runner::Task> Runner::take() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto ready = std::ranges::find_if(waiting_, [&](const auto& task) {
      return task->cancel.requested() || !machines_busy_.contains(task->request.machine);
    });
    if (ready != waiting_.end()) {
      std::shared_ptr<Task> task = *ready;
      waiting_.erase(ready);
      task->holds_machine = !task->cancel.requested();
      if (task->holds_machine) machines_busy_.insert(task->request.machine);
      return task;
    }
    if (stopping_ && waiting_.empty()) return nullptr;
    changed_.wait(lock);
  }
}

void Runner::work() {
  while (const auto task = take()) {
    perform(*task);
    finish(*task);
  }
}

void Runner::perform(Task& task) {
  const auto outcome = task.holds_machine
                           ? capture_machine(task)
                           : Result<capture::BackupOutcome>(fail(ECANCELED, "cancelled before it began"));
  JobEnd end = end_of(outcome, stopping());
  end.bytes_done = task.progress.done();
  end.bytes_total = task.progress.total();
  const auto ended = services_.catalog.write(
      [&](db::Connection& db) { return job_ended(db, task.request.job, end, services_.clock.now()); });
  if (!ended)
    log::error("{}, job {}, has ended ({}), but that can't be recorded: {}", task.name, task.request.job,
               to_word(end.status), ended.error().message);
  if (end.status == RunStatus::error) log::warning("{}: {}", task.name, end.message);
}

Result<capture::BackupOutcome> Runner::capture_machine(Task& task) {
  HF_CHECK(services_.catalog.write(
      [&](db::Connection& db) { return job_started(db, task.request.job, services_.clock.now()); }));
  tell_of_execution(task);
  return capture::back_up(services_, task.request, task.progress, task.cancel);
}

void Runner::tell_of_execution(const Task& task) {
  if (task.request.execution_id) observer_.changed(ObjectKind::execution, *task.request.execution_id);
}

void Runner::finish(const Task& task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.erase(task.request.job);
    if (task.holds_machine) machines_busy_.erase(task.request.machine);
  }
  changed_.notify_all();
  observer_.changed(ObjectKind::job, task.request.job);
  tell_of_execution(task);
  observer_.changed(ObjectKind::machine, task.request.machine);
}

}  // namespace holdfast::runs
