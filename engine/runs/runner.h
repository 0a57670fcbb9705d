// Takes runs, queues their jobs, and works them off.
//
// Threads: the runs' workers, owned here, as many as jobs may run at once. A job waits while another
// captures its machine (law 3). Any thread may call. Every accepted run reaches a final status: here,
// or, when the process dies, at the next start (accounts.h).
#pragma once

#include <condition_variable>
#include <list>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "engine/capture/backup.h"
#include "engine/capture/progress.h"
#include "engine/capture/services.h"
#include "engine/observer.h"
#include "engine/runs/request.h"
#include "engine/sources/driver.h"

namespace holdfast::runs {

class Runner {
 public:
  Runner(const capture::Services& services, Observer& observer, unsigned workers);
  ~Runner();  // stop()

  // Recorded, with its event, and queued. EINVAL: the flow can't run. EBUSY: it is running. EEXIST: the name
  // is taken. ENOENT: a machine that is not the flow's.
  Result<Id> run(Id flow, const RunRequest& request, const Caller& caller);

  // Looked at, recorded as a job, with its event, and queued. EINVAL: the image can't be read rightly, or the
  // disk is not clear. ENOENT: there is no such machine, disk or file. EEXIST: the machine has a point there,
  // or the name is taken. EBUSY: work on its first point there is under way, or the file is being written to.
  // EROFS, EIO: the repository can't be written to, or is not there.
  Result<Id> import_image(Id repository, const ImportRequest& request, const Caller& caller);

  // At the next safe place. EINVAL when it has ended.
  Result<> cancel(Id job);

  std::optional<Progress> progress(Id job);  // nothing: it neither waits nor runs
  bool captures(Id machine);                 // one is running, or waits for its turn

  // No more starts; what runs is stopped at a safe place and ends as interrupted. Returns when all have.
  void stop();

 private:
  struct Task {
    capture::BackupRequest request;
    std::string name;  // what is running, for the log
    source::Cancel cancel;
    ProgressMeter progress;
    bool holds_machine = false;
  };

  void enqueue(const std::shared_ptr<Task>& task);
  void work();
  std::shared_ptr<Task> take();  // waits; null: it is time to end
  void perform(Task& task);
  Result<capture::BackupOutcome> capture_machine(Task& task);
  void finish(const Task& task);
  void tell_of_execution(const Task& task);
  bool stopping();

  const capture::Services& services_;
  Observer& observer_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool stopping_ = false;
  std::list<std::shared_ptr<Task>> waiting_;
  std::map<Id, std::shared_ptr<Task>> tasks_;  // by job, waiting and running
  std::set<Id> machines_busy_;
  std::vector<std::thread> workers_;
};

}  // namespace holdfast::runs
