// Queues accepted work and works it off.
//
// Threads: the runs' workers, owned here, as many as jobs may run at once. Work waits while other work has
// its machine. Any thread may call. All that was accepted reaches a final status: here, or, when the process
// dies, at the next start (accounts.h).
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
#include "engine/runs/work.h"

namespace holdfast::runs {

class Runner {
 public:
  Runner(const capture::Services& services, Observer& observer);
  ~Runner();  // stop()

  // So many jobs at once from now on; what runs beyond that goes on.
  void set_limit(unsigned jobs);

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

  std::optional<Progress> progress(Id job);  // nothing: it neither waits nor runs

  // A machine for what is no job, until it is released: false while a job has it. Jobs wait for it meanwhile.
  bool claim(Id machine);
  void release(Id machine);

  // No more starts; what runs is stopped at a safe place and ends as interrupted. Returns when all has.
  void stop();

 private:
  struct Task {
    Work work;
    source::Cancel cancel;
    ProgressMeter progress;
    bool begun = false;  // and so has its machine
  };

  void work();
  std::shared_ptr<Task> take();  // waits; null: it is time to end
  bool may_begin(const Task& task) const;
  void perform(Task& task);
  Result<JobEnd> begin_and_perform(Task& task);
  void finish(const Task& task);
  void tell_of_execution(const Task& task);
  bool stopping();

  const capture::Services& services_;
  Observer& observer_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool stopping_ = false;
  bool closed_ = false;  // draining, or drained
  int admitted_ = 0;     // whose work is not added yet
  unsigned limit_ = 0;
  unsigned running_ = 0;
  std::list<std::shared_ptr<Task>> waiting_;
  std::map<Id, std::shared_ptr<Task>> tasks_;  // by job, waiting and running
  std::set<Id> machines_busy_;
  std::vector<std::thread> workers_;
};

}  // namespace holdfast::runs
