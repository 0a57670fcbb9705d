// The part of Runner in which a worker performs its job: begins it, retries it, and ends it and its
// execution.
#include <algorithm>
#include <array>
#include <utility>

#include "catalog/base/log.h"
#include "catalog/base/text.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/logs.h"
#include "engine/runs/runner.h"

namespace holdfast::runs {
namespace {

constexpr std::string_view kHooksInterrupted = "the daemon was stopped while the flow's hooks ran";

// Whether a retry may succeed. A refusal would only be repeated.
bool may_pass(const Error& error) {
  constexpr std::array kStays{ECANCELED, EINVAL, EROFS, EACCES, EPERM, ENOSPC, EFBIG, ENOTSUP, ENOSYS};
  return std::ranges::find(kStays, error.code) == kStays.end();
}

// Whether the catalog's file or file system failed, not the request.
bool is_trouble_of_the_catalog(const Error& error) {
  return error.code == ENOSPC || error.code == EIO || error.code == EAGAIN;
}

}  // namespace

bool Runner::stopping() {
  const MutexLock lock(mutex_);
  return stopping_;
}

void Runner::perform(const std::shared_ptr<Task>& task) {
  const auto done = perform_once(*task);
  if (!done && try_again(task, done.error())) return;
  if (claim_end(*task))
    record_end(*task, end_of(*task, done));
  else
    log::warning("{}: job {}, which had been given up, has ended", task->work.name, task->work.job);
  finish(task);
}

bool Runner::claim_end(Task& task) {
  const MutexLock lock(mutex_);
  return !std::exchange(task.recorded, true);
}

Result<JobEnd> Runner::perform_once(Task& task) {
  if (auto refused = pass_gate(task)) return *refused;
  if (!task.begun) return fail(ECANCELED, "cancelled before it began");
  if (!task.started) {
    HF_CHECK(services_.catalog.write(
        [&](db::Connection& db) { return job_started(db, task.work.job, services_.clock.now()); }));
    task.started = true;
    tell_of_execution(task);
  }
  return task.work.perform(task.progress, task.cancel);
}

// Returns an end if the execution's jobs must not begin.
std::optional<JobEnd> Runner::pass_gate(Task& task) {
  if (!task.way) return std::nullopt;
  if (task.opens_gate) {
    task.opens_gate = false;
    const Course& course = *task.way->course;
    std::optional<JobEnd> refused;
    if (course.before) {
      const auto started = services_.catalog.write(
          [&](db::Connection& db) { return execution_started(db, course.execution, services_.clock.now()); });
      if (!started) log::warning("{}: {}", course.name, started.error().message);
      tell_of_execution(task);
      refused = course.before(task.way->cancel);
    }
    const bool is_stopping = stopping();
    {
      const MutexLock lock(mutex_);
      task.way->gate = Way::Gate::open;
      if (refused && task.way->cancel.requested() && !is_stopping && task.way->cause)
        refused = JobEnd{.status = RunStatus::error,
                         .reason = task.way->cause->reason,
                         .message = task.way->cause->sentence};
      task.way->refused = std::move(refused);
      task.progress.move();
    }
    changed_.notify_all();
    watched_.notify_all();
  }
  const MutexLock lock(mutex_);
  return task.way->refused;
}

bool Runner::try_again(const std::shared_ptr<Task>& task, const Error& error) {
  if (!may_pass(error) || task->tries >= task->work.retries || task->cancel.requested()) return false;
  auto pause = pace_.first;
  for (int i = 0; i < task->tries && pause < pace_.longest; ++i) pause *= 2;
  pause = std::min(pause, pace_.longest);
  const auto told = services_.catalog.write([&](db::Connection& db) -> Result<> {
    HF_TRY(const Job job, Jobs(db).get(task->work.job));
    return Logs(db).add(job, services_.clock.now(),
                        fmt::format("failed: {}; it is tried again in {} s ({} of {})", error.message,
                                    std::chrono::ceil<std::chrono::seconds>(pause).count(), task->tries + 1,
                                    task->work.retries));
  });
  if (!told) return false;
  {
    const MutexLock lock(mutex_);
    let_go(*task);
    ++task->tries;
    task->not_before = Steady::now() + pause;
    waiting_.push_back(task);
  }
  changed_.notify_all();
  watched_.notify_all();
  if (task->work.machine) observer_.changed(ObjectKind::machine, *task->work.machine);
  return true;
}

JobEnd Runner::end_of_cancelled(const std::optional<Cause>& cause) {
  if (cause) return {.status = RunStatus::error, .reason = cause->reason, .message = cause->sentence};
  if (stopping())
    return {
        .status = RunStatus::error, .reason = EndReason::interrupted, .message = "the daemon was stopped"};
  return {.status = RunStatus::cancelled, .reason = EndReason::cancelled, .message = "cancelled"};
}

JobEnd Runner::end_of(const Task& task, const Result<JobEnd>& done) {
  JobEnd end;
  if (done) {
    end = *done;
  } else if (std::optional<Cause> cause =
                 [&] {
                   const MutexLock lock(mutex_);
                   return task.cause;
                 }();
             cause || done.error().code == ECANCELED) {
    end = end_of_cancelled(cause);
    if (end.status == RunStatus::cancelled) end.message = done.error().message;
  } else {
    end = {.status = RunStatus::error, .reason = EndReason::failed, .message = done.error().message};
    if (done.error().code == ENOSPC) end.reason = EndReason::no_space;
    if (done.error().code == EHOSTUNREACH) end.reason = EndReason::source_unreachable;
    if (done.error().code == ENOMEDIUM) end.reason = EndReason::repository_unreachable;
    if (task.tries > 0) end.message += fmt::format(" (tried {} times)", task.tries + 1);
  }
  if (!done) end.bytes_read = task.progress.done();
  end.bytes_done = task.progress.done();
  end.bytes_total = task.progress.total();
  return end;
}

void Runner::record_end(const Task& task, const JobEnd& end) {
  const Work& work = task.work;
  const bool has_after = work.course && work.course->after;
  bool last = false;
  Guard admission;
  if (work.next) {
    const MutexLock lock(mutex_);
    admission = announce();
  }
  std::optional<Work> next;
  std::optional<Execution> ended;
  const bool is_recorded =
      record(fmt::format("{}, job {}, has ended ({})", work.name, work.job, to_word(end.status)),
             [&](db::Connection& db) -> Result<> {
               const Time now = services_.clock.now();
               if (work.next) {
                 HF_TRY(next, work.next(db, end));
               }
               HF_TRY(last, job_ended(db, work.job, end, now));
               if (!last || has_after) return {};
               HF_TRY(ended, end_execution(db, work.course->execution, EndReason::failed, "", now));
               return {};
             });
  if (!is_recorded) return;
  if (last && has_after) ended = close(*task.way);
  if (end.status == RunStatus::error) log::warning("{}: {}", work.name, end.message);
  if (next) {
    next->asked_by = work.asked_by;
    add(std::move(*next));
  }
  if (!last) return;
  {
    const MutexLock lock(mutex_);
    ways_.erase(work.course->execution);
  }
  if (ended) execution_ended_(*ended);
}

// Retries until the catalog can store the end, for instance while its disk is full. If the daemon stops
// first, the next start ends the job (law 16).
bool Runner::record(const std::string& what, const std::function<Result<>(db::Connection&)>& write) {
  for (auto pause = pace_.first;; pause = std::min(2 * pause, pace_.longest)) {
    const auto written = services_.catalog.write(write);
    if (written) return true;
    const bool may_come = is_trouble_of_the_catalog(written.error());
    log::error("{}, but that can't be recorded: {}{}", what, written.error().message,
               may_come ? "; trying again" : "");
    if (!may_come) return false;
    const auto next = Steady::now() + pause;
    const MutexLock lock(mutex_);
    while (!stopping_)
      if (!changed_.wait_until(mutex_, next)) break;
    if (stopping_) return false;
  }
}

// Runs the flow's hooks after its jobs, then ends the execution.
std::optional<Execution> Runner::close(Way& way) {
  {
    const MutexLock lock(mutex_);
    way.closing = true;
    way.until.reset();
  }
  const Course& course = *way.course;
  const auto now = [this] { return services_.clock.now(); };
  const auto ending =
      services_.catalog.read([&](db::Connection& db) { return ending_of(db, course.execution, now()); });
  const std::string remark = ending ? course.after(*ending, way.closing_cancel)
                                    : "its hooks were not run: " + ending.error().message;
  const bool interrupted = way.closing_cancel.requested() && stopping();
  std::optional<Execution> ended;
  record(course.name + " has ended", [&](db::Connection& db) -> Result<> {
    HF_TRY(ended,
           end_execution(db, course.execution, interrupted ? EndReason::interrupted : EndReason::hook_failed,
                         interrupted ? kHooksInterrupted : remark, now()));
    return {};
  });
  return ended;
}

// Ends, at the daemon's stop, what has not begun: in one transaction, because a sync for each of a thousand
// jobs would delay the stop. Jobs of flows with hooks after them are left to the workers.
void Runner::end_waiting() {
  std::list<std::shared_ptr<Task>> over;
  {
    const MutexLock lock(mutex_);
    for (auto at = waiting_.begin(); at != waiting_.end();) {
      const auto task = at++;
      if ((*task)->way && (*task)->way->course->after) continue;
      over.splice(over.end(), waiting_, task);
    }
  }
  if (over.empty()) return;
  std::vector<EndOfJob> ends;
  for (const auto& task : over) ends.push_back({task->work.job, end_of(*task, fail(ECANCELED, "cancelled"))});
  std::vector<Execution> ended;
  const auto done = services_.catalog.write([&](db::Connection& db) -> Result<> {
    for (const auto& task : over)
      if (task->work.next) HF_CHECK(task->work.next(db, end_of(*task, fail(ECANCELED, "cancelled"))));
    HF_TRY(ended, jobs_ended(db, ends, services_.clock.now()));
    return {};
  });
  if (!done) {  // a single job may be at fault
    for (const auto& task : over) perform(task);
    return;
  }
  log::warning("{} jobs that waited were ended: the daemon was stopped", over.size());
  for (const Execution& execution : ended) {
    {
      const MutexLock lock(mutex_);
      ways_.erase(execution.id);
    }
    execution_ended_(execution);
  }
  for (const auto& task : over) finish(task);
}

void Runner::tell_of_execution(const Task& task) {
  if (task.work.course) observer_.changed(ObjectKind::execution, task.work.course->execution);
}

void Runner::finish(const std::shared_ptr<Task>& task) {
  {
    const MutexLock lock(mutex_);
    if (tasks_.erase(task->work.job) > 0 && task->work.asked_by) queue_limit_.remove(*task->work.asked_by);
    let_go(*task);
  }
  changed_.notify_all();
  observer_.changed(ObjectKind::job, task->work.job);
  tell_of_execution(*task);
  if (task->work.machine) observer_.changed(ObjectKind::machine, *task->work.machine);
}

}  // namespace holdfast::runs
