// Queues accepted work and performs it.
//
//   waiting ─► has its turn ─► (first of its execution: the flow's hooks) ─► performs ─► ended
//      ▲                                                                       │
//      └────────── failed for a reason that may pass; retried after a pause ───┘
//
// Owns these threads: a worker for each job that may run at once, one more for work that waits for all others
// (`beside`), and the watchdog. The watchdog ends what takes too long or makes no progress, and sleeps until
// the next limit.
//
// Work waits while other work uses its machine, or while a limit is reached (job_turns.h); how much a user
// may have taken on is bounded (queue_limit.h). Accepted work always reaches a final state: here, or at the
// next start if the process dies (accounts.h). Any thread may call. The constructor's arguments must outlive
// the object.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "catalog/base/mutex.h"
#include "engine/common/guard.h"
#include "engine/common/observer.h"
#include "engine/common/services.h"
#include "engine/runs/job_turns.h"
#include "engine/runs/queue_limit.h"
#include "engine/runs/work.h"

namespace holdfast::runs {

class Runner {
 public:
  struct Pace {
    // Pause before a retry; doubled each time.
    std::chrono::milliseconds first = std::chrono::seconds{10};
    std::chrono::milliseconds longest = std::chrono::minutes{5};
    // Time after a cancel, after which a job that still hangs in the kernel or at a source is ended in the
    // catalog. Another worker takes its place among the jobs that run at once; its machine stays occupied
    // until it returns.
    std::chrono::milliseconds patience = std::chrono::minutes{5};
  };
  static constexpr unsigned kMostHanging = 64;  // workers that hang and are replaced
  // Called by a worker for each execution whose end is recorded. Must return at once.
  using ExecutionEnded = std::function<void(const Execution&)>;
  Runner(const capture::Services& services, Observer& observer, Pace pace, ExecutionEnded execution_ended);
  ~Runner();  // calls stop()

  // Limits the jobs that run at once. Running jobs above the limit continue.
  void set_limit(unsigned jobs);
  void set_limit_of(Id repository, unsigned jobs);

  // Returns a guard to hold from accepting work until add(). Returns EBUSY while stopping or closed, and
  // EDQUOT if the user who asks has too many jobs.
  Result<Guard> admit(const std::optional<Asked>& asked = std::nullopt);
  // Closes the runner to new work, or opens it. Returns false if nothing changed.
  bool close_to_new_work(bool closed);
  bool is_closed();
  // Returns when all work except job `but` has ended and `others_have_ended` returns true, which is asked
  // again at each look_again(). Returns ECANCELED after a cancel, ETIMEDOUT after `until`.
  Result<> wait_for_quiet(Id but, const source::Cancel& cancel,
                          const std::optional<std::chrono::steady_clock::time_point>& until,
                          const std::function<bool()>& others_have_ended);
  void look_again();
  void add(Work work);

  // Cancels the job at its next safe place. Returns EINVAL if it has ended.
  Result<> cancel(Id job);
  // Cancels all jobs of the execution, and its hooks.
  void cancel_execution(Id execution);

  std::optional<Progress> progress(Id job);     // nullopt: the job neither waits nor runs
  std::optional<WaitReason> waits_for(Id job);  // nullopt: the job doesn't wait

  // Whether work waits for a place among the jobs that run at once, or among those of the repository.
  bool is_place_wanted(Id repository);

  // Reserves a machine for what is no job, until release(). Returns false while a job uses the machine.
  bool claim(Id machine);
  void release(Id machine);

  // Whether a job is at work whose end is not recorded.
  bool is_at_work();
  // Records the ends of jobs that were stopped and still hang, so that the sweeper lets go of their sources.
  void write_off_what_hangs();
  // Starts no more work, stops what runs at a safe place, and returns when all has ended as interrupted.
  void stop();

 private:
  using Steady = std::chrono::steady_clock;

  // Reason for which the watchdog ends work.
  struct Cause {
    EndReason reason;
    std::string sentence;
  };
  // An execution in progress. The runner's mutex guards each Way and Task; a worker reads members without it
  // that no other thread writes.
  struct Way {
    std::shared_ptr<const Course> course;
    enum class Gate {
      shut,
      opening,
      open
    } gate = Gate::shut;            // shut until the hooks before the first job have run
    std::optional<JobEnd> refused;  // end of all its jobs; none begins any more
    std::optional<Steady::time_point> until;
    std::optional<Cause> cause;
    source::Cancel cancel;          // cancels the hooks before the jobs
    source::Cancel closing_cancel;  // cancels the hooks after the jobs
    bool closing = false;
  };
  struct Task {
    Work work;
    std::shared_ptr<Way> way;  // null for a job without execution
    source::Cancel cancel;
    std::optional<Cause> cause;
    std::optional<Steady::time_point> cancelled_at;
    bool recorded = false;  // the end is recorded, or about to be
    bool replaced = false;  // hangs, and has no place among the jobs that run at once any more
    ProgressMeter progress;
    bool opens_gate = false;
    bool begun = false;    // the job occupies its machine and counts against limits
    bool started = false;  // the job's row says that it runs
    int tries = 0;         // failed tries
    Steady::time_point not_before{};
  };

  Guard announce() HF_REQUIRES(mutex_);
  void await_added(const std::function<bool()>& is_here) HF_REQUIRES(mutex_);

  void work();
  std::shared_ptr<Task> take();  // waits for a task; null when the thread is to end
  bool is_over(const Task& task) const HF_REQUIRES(mutex_);
  std::optional<WaitReason> held_up_by(const Task& task, Steady::time_point now) const HF_REQUIRES(mutex_);
  void begin(Task& task) HF_REQUIRES(mutex_);
  void let_go(Task& task) HF_REQUIRES(mutex_);
  void replace(Task& hanging) HF_REQUIRES(mutex_);
  void add_workers() HF_REQUIRES(mutex_);

  // ending.cpp
  void perform(const std::shared_ptr<Task>& task);
  Result<JobEnd> perform_once(Task& task);
  std::optional<JobEnd> pass_gate(Task& task);
  bool try_again(const std::shared_ptr<Task>& task, const Error& error);
  JobEnd end_of(const Task& task, const Result<JobEnd>& done);
  JobEnd end_of_cancelled(const std::optional<Cause>& cause);
  bool claim_end(Task& task);  // true for the one caller that may record the end
  void record_end(const Task& task, const JobEnd& end);
  bool record(const std::string& what, const std::function<Result<>(db::Connection&)>& write);
  std::optional<Execution> close(Way& way);  // nullopt: the end could not be recorded
  void finish(const std::shared_ptr<Task>& task);
  void end_waiting();
  void tell_of_execution(const Task& task);
  bool stopping();

  // watchdog.cpp
  void watch();
  using Tasks = std::vector<std::shared_ptr<Task>>;
  Steady::time_point look_at_the_time(Steady::time_point now, Tasks& overdue) HF_REQUIRES(mutex_);
  void write_off(const std::shared_ptr<Task>& task);
  bool is_opening(const Task& task) const HF_REQUIRES(mutex_);
  void request_end(Task& task, const std::optional<Cause>& cause) HF_REQUIRES(mutex_);

  const capture::Services& services_;
  Observer& observer_;
  const Pace pace_;
  const ExecutionEnded execution_ended_;

  Mutex mutex_;
  CondVar changed_;
  CondVar watched_;  // wakes the watchdog when a limit may be due earlier
  bool stopping_ HF_GUARDED_BY(mutex_) = false;
  bool closed_ HF_GUARDED_BY(mutex_) = false;  // draining or drained
  int admitted_ HF_GUARDED_BY(mutex_) = 0;
  unsigned limit_ HF_GUARDED_BY(mutex_) = 0;
  unsigned replaced_ HF_GUARDED_BY(mutex_) = 0;  // tasks that hang in a worker which was replaced
  JobTurns turns_ HF_GUARDED_BY(mutex_);
  QueueLimit queue_limit_ HF_GUARDED_BY(mutex_);
  std::list<std::shared_ptr<Task>> waiting_ HF_GUARDED_BY(mutex_);   // in order of arrival
  std::map<Id, std::shared_ptr<Task>> tasks_ HF_GUARDED_BY(mutex_);  // by job; waiting and running
  std::map<Id, std::shared_ptr<Way>> ways_ HF_GUARDED_BY(mutex_);    // by execution
  std::set<Id> machines_busy_ HF_GUARDED_BY(mutex_);
  std::vector<std::thread> workers_ HF_GUARDED_BY(mutex_);
  std::thread watchdog_ HF_GUARDED_BY(mutex_);
};

}  // namespace holdfast::runs
