// Runs the thread that looks at the agenda when something may be due.
#pragma once

#include <chrono>
#include <functional>
#include <thread>
#include <utility>

#include "engine/common/bell.h"
#include "engine/schedule/agenda.h"

namespace holdfast::schedule {

// Owns the thread, from start() to stop(), which closes the bell and waits for the current look. Whoever
// changes definitions or ends a run rings the bell. Any thread may call.
class Scheduler {
 public:
  // `beside` is called at each look, after what is due was started.
  Scheduler(Catalog& catalog, const Clock& clock, Bell& bell, Starter& starter, Observer& observer,
            std::function<Result<>()> beside = {})
      : clock_(clock), bell_(bell), agenda_(catalog, clock, starter, observer), beside_(std::move(beside)) {}
  ~Scheduler();  // calls stop()

  void start();
  void stop();

 private:
  void work();
  std::chrono::milliseconds look();  // returns the pause until the next look

  const Clock& clock_;
  Bell& bell_;
  Agenda agenda_;  // used by the thread only
  const std::function<Result<>()> beside_;
  std::thread thread_;
};

}  // namespace holdfast::schedule
