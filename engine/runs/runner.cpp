#include "engine/runs/runner.h"

#include <algorithm>
#include <utility>

#include "catalog/base/log.h"

namespace holdfast::runs {
namespace {

JobEnd end_of(const Error& error, bool stopping) {
  JobEnd end{.status = RunStatus::error, .reason = EndReason::failed, .message = error.message};
  if (error.code == ENOSPC) end.reason = EndReason::no_space;
  if (error.code != ECANCELED) return end;
  if (stopping)
    return {
        .status = RunStatus::error, .reason = EndReason::interrupted, .message = "the daemon was stopped"};
  end.status = RunStatus::cancelled;
  end.reason = EndReason::cancelled;
  return end;
}

}  // namespace

Runner::Runner(const capture::Services& services, Observer& observer)
    : services_(services), observer_(observer) {}

Runner::~Runner() { stop(); }

void Runner::set_limit(unsigned jobs) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    limit_ = jobs;
    while (workers_.size() < jobs) workers_.emplace_back([this] { work(); });
  }
  changed_.notify_all();
}

bool Runner::stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

Result<Runner::Admission> Runner::admit() {
  const std::lock_guard lock(mutex_);
  if (stopping_) return fail(EBUSY, "the daemon is stopping; it takes no new runs");
  if (closed_) return fail(EBUSY, "the daemon is draining; it takes no new runs until it is told to resume");
  ++admitted_;
  return Admission(this, [](Runner* runner) {
    {
      const std::lock_guard relock(runner->mutex_);
      --runner->admitted_;
    }
    runner->changed_.notify_all();
  });
}

bool Runner::close_to_new_work(bool closed) {
  const std::lock_guard lock(mutex_);
  return std::exchange(closed_, closed) != closed;
}

bool Runner::is_closed() {
  const std::lock_guard lock(mutex_);
  return closed_;
}

Result<> Runner::wait_for_quiet(Id but, const source::Cancel& cancel,
                                const std::optional<std::chrono::steady_clock::time_point>& until,
                                const std::function<bool()>& others_have_ended) {
  std::unique_lock lock(mutex_);
  const auto is_over = [&] {
    if (cancel.requested()) return true;
    const bool is_alone = std::ranges::all_of(tasks_, [&](const auto& task) { return task.first == but; });
    return admitted_ == 0 && is_alone && others_have_ended();
  };
  if (!until)
    changed_.wait(lock, is_over);
  else if (!changed_.wait_until(lock, *until, is_over))
    return fail(ETIMEDOUT, "{} other jobs still run", tasks_.size() - tasks_.count(but));
  if (cancel.requested()) return fail(ECANCELED, "cancelled");
  return {};
}

void Runner::look_again() {
  {
    const std::lock_guard lock(mutex_);  // whoever is about to wait, waits by now
  }
  changed_.notify_all();
}

void Runner::add(Work work) {
  auto task = std::make_shared<Task>();
  task->work = std::move(work);
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) task->cancel.request();
    tasks_[task->work.job] = task;
    waiting_.push_back(task);
  }
  changed_.notify_all();
  observer_.changed(ObjectKind::job, task->work.job);
  tell_of_execution(*task);
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

bool Runner::claim(Id machine) {
  const std::lock_guard lock(mutex_);
  return machines_busy_.insert(machine).second;
}

void Runner::release(Id machine) {
  {
    const std::lock_guard lock(mutex_);
    machines_busy_.erase(machine);
  }
  changed_.notify_all();
  observer_.changed(ObjectKind::machine, machine);
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

// What was cancelled only has to be told so.
bool Runner::may_begin(const Task& task) const {
  if (task.cancel.requested()) return true;
  return running_ < limit_ && (!task.work.machine || !machines_busy_.contains(*task.work.machine));
}

std::shared_ptr<Runner::Task> Runner::take() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto ready = std::ranges::find_if(waiting_, [&](const auto& task) { return may_begin(*task); });
    if (ready != waiting_.end()) {
      std::shared_ptr<Task> task = *ready;
      waiting_.erase(ready);
      task->begun = !task->cancel.requested();
      if (task->begun) ++running_;
      if (task->begun && task->work.machine) machines_busy_.insert(*task->work.machine);
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
  const auto done =
      task.begun ? begin_and_perform(task) : Result<JobEnd>(fail(ECANCELED, "cancelled before it began"));
  JobEnd end = done ? *done : end_of(done.error(), stopping());
  end.bytes_done = task.progress.done();
  end.bytes_total = task.progress.total();
  const auto ended = services_.catalog.write(
      [&](db::Connection& db) { return job_ended(db, task.work.job, end, services_.clock.now()); });
  if (!ended)
    log::error("{}, job {}, has ended ({}), but that can't be recorded: {}", task.work.name, task.work.job,
               to_word(end.status), ended.error().message);
  if (end.status == RunStatus::error) log::warning("{}: {}", task.work.name, end.message);
}

Result<JobEnd> Runner::begin_and_perform(Task& task) {
  HF_CHECK(services_.catalog.write(
      [&](db::Connection& db) { return job_started(db, task.work.job, services_.clock.now()); }));
  tell_of_execution(task);
  return task.work.perform(task.progress, task.cancel);
}

void Runner::tell_of_execution(const Task& task) {
  if (task.work.execution) observer_.changed(ObjectKind::execution, *task.work.execution);
}

void Runner::finish(const Task& task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.erase(task.work.job);
    if (task.begun) --running_;
    if (task.begun && task.work.machine) machines_busy_.erase(*task.work.machine);
  }
  changed_.notify_all();
  observer_.changed(ObjectKind::job, task.work.job);
  tell_of_execution(task);
  if (task.work.machine) observer_.changed(ObjectKind::machine, *task.work.machine);
}

}  // namespace holdfast::runs
