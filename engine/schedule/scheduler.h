// Runs the thread that looks at the agenda when something may be due.
#pragma once

#include <thread>

#include "catalog/base/mutex.h"
#include "engine/schedule/agenda.h"

namespace holdfast::schedule {

// Owns the thread, from start() to stop(). stop() waits for the current look. Any thread may call.
class Scheduler {
 public:
  Scheduler(Catalog& catalog, const Clock& clock, Starter& starter, Observer& observer)
      : clock_(clock), agenda_(catalog, clock, starter, observer) {}
  ~Scheduler();  // calls stop()

  void start();
  // Wakes the thread, after definitions changed or a run ended. Returns at once.
  void look_again();
  void stop();

 private:
  void work();
  std::chrono::milliseconds look();  // returns the pause until the next look

  const Clock& clock_;
  Agenda agenda_;  // used by the thread only
  Mutex mutex_;
  CondVar moved_;
  bool asked_ HF_GUARDED_BY(mutex_) = false;
  bool stopping_ HF_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace holdfast::schedule
