#include "engine/runs/runner.h"

#include <algorithm>
#include <utility>

namespace holdfast::runs {

Runner::Runner(const capture::Services& services, Observer& observer, Pace pace,
               ExecutionEnded execution_ended)
    : services_(services), observer_(observer), pace_(pace), execution_ended_(std::move(execution_ended)) {}

Runner::~Runner() { stop(); }

void Runner::set_limit(unsigned jobs) {
  {
    const MutexLock lock(mutex_);
    if (stopping_) return;
    limit_ = jobs;
    turns_.set_limit(jobs);
    add_workers();
    if (!watchdog_.joinable()) watchdog_ = std::thread([this] { watch(); });
  }
  changed_.notify_all();
}

void Runner::set_limit_of(Id repository, unsigned jobs) {
  {
    const MutexLock lock(mutex_);
    turns_.set_limit_of(repository, jobs);
  }
  changed_.notify_all();
}

Result<Guard> Runner::admit(const std::optional<Asked>& asked) {
  const MutexLock lock(mutex_);
  if (stopping_) return fail(EBUSY, "the daemon is stopping; it takes no new runs");
  if (closed_) return fail(EBUSY, "the daemon is draining; it takes no new runs until it is told to resume");
  if (asked) HF_CHECK(queue_limit_.check(*asked));
  return announce();
}

// Counts work that is about to be added.
Guard Runner::announce() {
  ++admitted_;
  return Guard([this] {
    {
      const MutexLock relock(mutex_);
      --admitted_;
    }
    changed_.notify_all();
  });
}

bool Runner::close_to_new_work(bool closed) {
  const MutexLock lock(mutex_);
  return std::exchange(closed_, closed) != closed;
}

bool Runner::is_closed() {
  const MutexLock lock(mutex_);
  return closed_;
}

Result<> Runner::wait_for_quiet(Id but, const source::Cancel& cancel,
                                const std::optional<std::chrono::steady_clock::time_point>& until,
                                const std::function<bool()>& others_have_ended) {
  const MutexLock lock(mutex_);
  const auto is_over = [&]() HF_REQUIRES(mutex_) {
    if (cancel.requested()) return true;
    const bool is_alone = std::ranges::all_of(tasks_, [&](const auto& task) { return task.first == but; });
    return admitted_ == 0 && is_alone && others_have_ended();
  };
  while (!is_over()) {
    if (!until)
      changed_.wait(mutex_);
    else if (!changed_.wait_until(mutex_, *until) && !is_over())
      return fail(ETIMEDOUT, "{} other jobs still run", tasks_.size() - tasks_.count(but));
  }
  if (cancel.requested()) return fail(ECANCELED, "cancelled");
  return {};
}

void Runner::look_again() {
  {
    const MutexLock lock(mutex_);  // a thread about to wait has reached its wait by now
  }
  changed_.notify_all();
}

void Runner::add(Work work) {
  auto task = std::make_shared<Task>();
  task->work = std::move(work);
  {
    const MutexLock lock(mutex_);
    if (stopping_) request_end(*task, std::nullopt);
    if (const auto& course = task->work.course) {
      auto& way = ways_[course->execution];
      if (!way) {
        way = std::make_shared<Way>();
        way->course = course;  // equal for all jobs of the execution; the first may already be running
      }
      task->way = way;
      if (way->cancel.requested()) request_end(*task, way->cause);
    }
    if (task->work.asked_by) queue_limit_.add(*task->work.asked_by);
    tasks_[task->work.job] = task;
    waiting_.push_back(task);
  }
  changed_.notify_all();
  observer_.changed(ObjectKind::job, task->work.job);
  tell_of_execution(*task);
}

// Waits for a job that is visible in the catalog but not yet added.
void Runner::await_added(const std::function<bool()>& is_here) {
  while (!is_here() && admitted_ > 0) changed_.wait(mutex_);
}

Result<> Runner::cancel(Id job) {
  {
    const MutexLock lock(mutex_);
    await_added([&]() HF_REQUIRES(mutex_) { return tasks_.contains(job); });
    const auto found = tasks_.find(job);
    if (found == tasks_.end()) return fail(EINVAL, "the job has ended; there is nothing to cancel");
    request_end(*found->second, std::nullopt);
    // If all jobs of the execution are cancelled and none is about to be added, the hooks before them are
    // useless.
    const auto& way = found->second->way;
    if (way && admitted_ == 0 && std::ranges::none_of(tasks_, [&](const auto& other) {
          return other.second->way == way && !other.second->cancel.requested();
        }))
      way->cancel.request();
  }
  changed_.notify_all();
  watched_.notify_all();
  return {};
}

void Runner::cancel_execution(Id execution) {
  {
    const MutexLock lock(mutex_);
    await_added([&]() HF_REQUIRES(mutex_) { return ways_.contains(execution); });
    for (const auto& [job, task] : tasks_)
      if (task->way && task->way->course->execution == execution) request_end(*task, std::nullopt);
    if (const auto way = ways_.find(execution); way != ways_.end()) {
      way->second->cancel.request();
      if (way->second->closing) way->second->closing_cancel.request();
    }
  }
  changed_.notify_all();
  watched_.notify_all();
}

std::optional<Progress> Runner::progress(Id job) {
  std::shared_ptr<Task> task;
  {
    const MutexLock lock(mutex_);
    const auto found = tasks_.find(job);
    if (found == tasks_.end()) return std::nullopt;
    task = found->second;
  }
  return task->progress.snapshot();
}

std::optional<WaitReason> Runner::waits_for(Id job) {
  const MutexLock lock(mutex_);
  const auto found = tasks_.find(job);
  if (found == tasks_.end() || found->second->begun) return std::nullopt;
  return held_up_by(*found->second, Steady::now());
}

bool Runner::is_place_wanted(Id repository) {
  const MutexLock lock(mutex_);
  const auto now = Steady::now();
  return std::ranges::any_of(waiting_, [&](const auto& task) HF_REQUIRES(mutex_) {
    if (task->work.priority == kAfterAllOthers) return false;
    const auto reason = held_up_by(*task, now);
    return reason == WaitReason::max_concurrent_jobs ||
           (reason == WaitReason::max_jobs && task->work.repository == repository);
  });
}

bool Runner::claim(Id machine) {
  const MutexLock lock(mutex_);
  return machines_busy_.insert(machine).second;
}

void Runner::release(Id machine) {
  {
    const MutexLock lock(mutex_);
    machines_busy_.erase(machine);
  }
  changed_.notify_all();
  observer_.changed(ObjectKind::machine, machine);
}

void Runner::stop() {
  std::vector<std::thread> threads;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    for (const auto& [job, task] : tasks_) request_end(*task, std::nullopt);
    for (const auto& [execution, way] : ways_) {
      way->cancel.request();
      way->closing_cancel.request();
    }
    threads.swap(workers_);
    if (watchdog_.joinable()) threads.push_back(std::move(watchdog_));
  }
  end_waiting();
  changed_.notify_all();
  watched_.notify_all();
  for (std::thread& thread : threads) thread.join();
}

// Whether the task only has to be told of its end.
bool Runner::is_over(const Task& task) const {
  return task.cancel.requested() || (task.way && task.way->refused);
}

// Returns nullopt if the task may begin.
std::optional<WaitReason> Runner::held_up_by(const Task& task, Steady::time_point now) const {
  if (is_over(task)) return std::nullopt;
  if (task.way && task.way->gate == Way::Gate::opening) return WaitReason::hooks;
  if (task.not_before > now) return WaitReason::retry;
  if (task.work.machine && machines_busy_.contains(*task.work.machine)) return WaitReason::machine_busy;
  return turns_.full_for(task.work);
}

void Runner::begin(Task& task) {
  task.begun = true;
  task.progress.move();
  turns_.begins(task.work);
  if (task.work.machine) machines_busy_.insert(*task.work.machine);
  if (task.way && task.way->gate == Way::Gate::shut) {
    task.opens_gate = true;
    task.way->gate = Way::Gate::opening;
    if (const auto timeout = task.way->course->timeout) task.way->until = Steady::now() + *timeout;
  }
  watched_.notify_all();
}

// Gives back the task's machine and its share of the limits.
void Runner::let_go(Task& task) {
  if (!task.begun) return;
  task.begun = false;
  if (std::exchange(task.replaced, false))
    --replaced_;
  else
    turns_.ends(task.work);
  if (task.work.machine) machines_busy_.erase(*task.work.machine);
}

// Gives the place of a task that hangs to others. A task that has returned meanwhile has given it back.
void Runner::replace(Task& hanging) {
  if (stopping_ || !hanging.begun || hanging.replaced || replaced_ >= kMostHanging) return;
  hanging.replaced = true;
  ++replaced_;
  turns_.ends(hanging.work);
  add_workers();
}

void Runner::add_workers() {
  while (workers_.size() < limit_ + 1 + replaced_) workers_.emplace_back([this] { work(); });
}

std::shared_ptr<Runner::Task> Runner::take() {
  const MutexLock lock(mutex_);
  for (;;) {
    const auto now = Steady::now();
    auto next = waiting_.end();
    for (auto task = waiting_.begin(); task != waiting_.end(); ++task) {
      if (held_up_by(**task, now)) continue;
      if (next == waiting_.end() || turns_.goes_before((*task)->work, (*next)->work)) next = task;
      if (is_over(**next) || turns_.is_for_the_oldest()) break;
    }
    if (next != waiting_.end()) {
      std::shared_ptr<Task> task = *next;
      waiting_.erase(next);
      if (!is_over(*task)) begin(*task);
      return task;
    }
    if (stopping_ && waiting_.empty()) return nullptr;
    changed_.wait(mutex_);
  }
}

void Runner::work() {
  while (const auto task = take()) perform(task);
}

}  // namespace holdfast::runs
