// Queues accepted work and works it off.
//
//   waiting ─► has its turn ─► (the first of an execution: what comes before it) ─► performs ─► ended
//      ▲                                                                               │
//      └─────────── failed for what may pass, and is tried again after a pause ────────┘
//
// Threads: the runs' workers, owned here, as many as jobs may run at once, and one for what waits for their
// end
// (`beside`); and the watchdog, which ends what takes too long or gets no further, and sleeps until the next
// of them would. Work waits while other work has its machine, or as much as may run at once does (turns.h).
// Any thread may call. All that was accepted reaches a final status: here, or, when the process dies, at the
// next start (accounts.h).
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "engine/capture/services.h"
#include "engine/observer.h"
#include "engine/runs/turns.h"
#include "engine/runs/work.h"

namespace holdfast::runs {

class Runner {
 public:
  struct Pace {
    // Before what has failed is tried again: doubled each time.
    std::chrono::milliseconds first = std::chrono::seconds{10};
    std::chrono::milliseconds longest = std::chrono::minutes{5};
    // What is still there so long after it was cancelled, since the kernel or a source does not answer it, is
    // ended in the catalog all the same. Its worker and its machine are free when it lets go of them.
    std::chrono::milliseconds patience = std::chrono::minutes{5};
  };
  // Called by a worker with each execution that has ended, once that is recorded. Returns at once.
  using ExecutionEnded = std::function<void(const Execution&)>;
  Runner(const capture::Services& services, Observer& observer, Pace pace, ExecutionEnded execution_ended);
  ~Runner();  // stop()

  // So many jobs at once from now on; what runs beyond that goes on.
  void set_limit(unsigned jobs);
  void set_limit_of(Id object, unsigned jobs);  // a repository, or a source

  // Whoever accepts work asks before, and keeps this until the work is added. EBUSY: it is stopping or
  // closed.
  using Admission = std::shared_ptr<void>;
  Result<Admission> admit();
  // From now on it is closed to new work, or open again. False: it was so already.
  bool close_to_new_work(bool closed);
  bool is_closed();
  // Returns once all work but this job's has ended and `others_have_ended` says so, too, which is asked again
  // at each look_again(). ECANCELED after a cancel, ETIMEDOUT after that time.
  Result<> wait_for_quiet(Id but, const source::Cancel& cancel,
                          const std::optional<std::chrono::steady_clock::time_point>& until,
                          const std::function<bool()>& others_have_ended);
  void look_again();
  void add(Work work);

  // At the next safe place. EINVAL when it has ended.
  Result<> cancel(Id job);
  // All its jobs, and what its flow has done before or after them.
  void cancel_execution(Id execution);

  std::optional<Progress> progress(Id job);     // nothing: it neither waits nor runs
  std::optional<WaitReason> waits_for(Id job);  // nothing: it doesn't wait

  // A machine for what is no job, until it is released: false while a job has it. Jobs wait for it meanwhile.
  bool claim(Id machine);
  void release(Id machine);

  // No more starts; what runs is stopped at a safe place and ends as interrupted. Returns when all has.
  void stop();

 private:
  using Steady = std::chrono::steady_clock;

  // Why something is ended by the watchdog.
  struct Cause {
    EndReason reason;
    std::string sentence;
  };
  // An execution under way.
  struct Way {
    std::shared_ptr<const Course> course;
    enum class Gate { shut, opening, open } gate = Gate::shut;  // before its first job
    std::optional<JobEnd> refused;                              // none of its jobs begins any more
    std::optional<Steady::time_point> until;
    std::optional<Cause> cause;
    source::Cancel cancel;          // of what comes before its jobs
    source::Cancel closing_cancel;  // of what comes after them
    bool closing = false;
  };
  struct Task {
    Work work;
    std::shared_ptr<Way> way;  // null without an execution
    source::Cancel cancel;
    std::optional<Cause> cause;
    std::optional<Steady::time_point> cancelled_at;
    bool recorded = false;  // its end, or somebody is about to
    ProgressMeter progress;
    bool opens_gate = false;
    bool begun = false;    // and so has its machine
    bool started = false;  // its row says so
    int tries = 0;         // that have failed
    Steady::time_point not_before{};
  };

  Admission announce();  // with the mutex held
  void await_added(std::unique_lock<std::mutex>& lock, const std::function<bool()>& is_here);

  void work();
  std::shared_ptr<Task> take();  // waits; null: it is time to end
  bool is_over(const Task& task) const;
  std::optional<WaitReason> held_up_by(const Task& task, Steady::time_point now) const;
  void begin(Task& task);
  void let_go(Task& task);

  // ending.cpp
  void perform(const std::shared_ptr<Task>& task);
  Result<JobEnd> perform_once(Task& task);
  std::optional<JobEnd> pass_gate(Task& task);
  bool try_again(const std::shared_ptr<Task>& task, const Error& error);
  JobEnd end_of(const Task& task, const Result<JobEnd>& done);
  JobEnd end_of_cancelled(const std::optional<Cause>& cause);
  bool claim_end(Task& task);  // once, by whoever then records it
  void record_end(const Task& task, const JobEnd& end);
  bool record(const std::string& what, const std::function<Result<>(db::Connection&)>& write);
  std::optional<Execution> close(Way& way);  // nothing: its end could not be recorded
  void finish(const std::shared_ptr<Task>& task);
  void tell_of_execution(const Task& task);
  bool stopping();

  // watchdog.cpp
  void watch();
  using Tasks = std::vector<std::shared_ptr<Task>>;
  Steady::time_point look_at_the_time(Steady::time_point now, Tasks& overdue);
  void write_off(const std::shared_ptr<Task>& task);
  static bool is_opening(const Task& task);
  static void request_end(Task& task, const std::optional<Cause>& cause);

  const capture::Services& services_;
  Observer& observer_;
  const Pace pace_;
  const ExecutionEnded execution_ended_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::condition_variable watched_;  // something may be due earlier
  bool stopping_ = false;
  bool closed_ = false;  // draining, or drained
  int admitted_ = 0;     // whose work is not added yet
  Turns turns_;
  std::list<std::shared_ptr<Task>> waiting_;   // in the order of their coming
  std::map<Id, std::shared_ptr<Task>> tasks_;  // by job, waiting and running
  std::map<Id, std::shared_ptr<Way>> ways_;    // by execution
  std::set<Id> machines_busy_;
  std::vector<std::thread> workers_;
  std::thread watchdog_;
};

}  // namespace holdfast::runs
