// The thread that looks at the agenda whenever something on it may be due.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "engine/schedule/agenda.h"

namespace holdfast::schedule {

// Any thread may call; the thread is owned here. It begins with start(), and ends, with what it is about, in
// stop().
class Scheduler {
 public:
  Scheduler(Catalog& catalog, const Clock& clock, Starter& starter, Observer& observer)
      : clock_(clock), agenda_(catalog, clock, starter, observer) {}
  ~Scheduler();  // stop()

  void start();
  // Definitions have changed, or a run has ended. Returns at once.
  void look_again();
  void stop();

 private:
  void work();
  std::chrono::milliseconds look();  // how long until the next look

  const Clock& clock_;
  Agenda agenda_;     // of the thread
  std::mutex mutex_;  // guards what follows
  std::condition_variable moved_;
  bool asked_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace holdfast::schedule
