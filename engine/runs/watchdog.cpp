// The part of Runner that ends what takes too long or makes no progress, so that nothing stays `running` (law
// 16).
#include <algorithm>
#include <utility>

#include "catalog/base/log.h"
#include "catalog/base/text.h"
#include "engine/runs/runner.h"

namespace holdfast::runs {

void Runner::watch() {
  const MutexLock lock(mutex_);
  while (!stopping_) {
    Tasks overdue;
    const auto next = look_at_the_time(Steady::now(), overdue);
    if (!overdue.empty()) {
      const MutexUnlock unlocked(mutex_);
      for (const auto& task : overdue) write_off(task);
    } else if (next == Steady::time_point::max())
      watched_.wait(mutex_);
    else
      watched_.wait_until(mutex_, next);
  }
}

// Ends tasks and executions that are over their limits. Returns when to look again.
Runner::Steady::time_point Runner::look_at_the_time(Steady::time_point now, Tasks& overdue) {
  auto next = Steady::time_point::max();
  // Whether the time has come; if not, it may be the next one to wait for.
  const auto has_come = [&](Steady::time_point time) {
    if (time <= now) return true;
    next = std::min(next, time);
    return false;
  };
  for (const auto& [execution, way] : ways_)
    if (way->until && !way->cause && has_come(*way->until)) {
      way->cause = Cause{EndReason::timed_out,
                         fmt::format("the execution has taken longer than its flow's timeout, {}",
                                     print_duration(*way->course->timeout))};
      way->cancel.request();
    }
  bool somebody_may_begin = false;
  for (const auto& [job, task] : tasks_) {
    if (task->cancelled_at) {
      if (task->begun && !task->recorded && has_come(*task->cancelled_at + pace_.patience)) {
        task->recorded = true;
        overdue.push_back(task);
      }
    } else if (task->way && task->way->cause) {
      request_end(*task, task->way->cause);
      next = now;
      somebody_may_begin = true;
    } else if (task->begun && task->work.stall && !is_opening(*task)) {
      if (has_come(task->progress.moved_at() + *task->work.stall)) {
        request_end(*task, Cause{EndReason::stalled, fmt::format("the job made no progress for {}",
                                                                 print_duration(*task->work.stall))});
        next = now;
      }
    } else if (!task->begun && task->tries > 0 && has_come(task->not_before)) {
      somebody_may_begin = true;
    }
  }
  if (somebody_may_begin) changed_.notify_all();
  return next;
}

// Hooks before the jobs have time limits of their own.
bool Runner::is_opening(const Task& task) const { return task.way && task.way->gate == Way::Gate::opening; }

void Runner::request_end(Task& task, const std::optional<Cause>& cause) {
  if (task.cancel.requested()) return;
  task.cause = cause;
  task.cancelled_at = Steady::now();
  task.cancel.request();
}

bool Runner::is_at_work() {
  const MutexLock lock(mutex_);
  return std::ranges::any_of(tasks_,
                             [](const auto& task) { return task.second->begun && !task.second->recorded; });
}

void Runner::write_off_what_hangs() {
  Tasks hanging;
  {
    const MutexLock lock(mutex_);
    for (const auto& [job, task] : tasks_)
      if (task->begun && task->cancelled_at && !std::exchange(task->recorded, true)) hanging.push_back(task);
  }
  for (const auto& task : hanging) write_off(task);
}

void Runner::write_off(const std::shared_ptr<Task>& task) {
  JobEnd end = end_of(*task, fail(ECANCELED, "cancelled"));
  end.message += "; the job still hangs, because what it waits for does not answer";
  log::error("{}: job {} does not end: {}", task->work.name, task->work.job, end.message);
  record_end(*task, end);
  {
    const MutexLock lock(mutex_);
    replace(*task);
  }
  changed_.notify_all();
  if (task->work.machine) services_.left_behind.add(*task->work.machine);
  observer_.changed(ObjectKind::job, task->work.job);
  tell_of_execution(*task);
}

}  // namespace holdfast::runs
