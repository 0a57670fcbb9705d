// Goes back to what a run could not take away, at its source or in its repository, until it can.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "engine/capture/services.h"
#include "engine/runs/runner.h"

namespace holdfast::runs {

// Tries machine by machine, each after a pause that doubles; while nothing is left anywhere it sleeps. No
// run of a machine begins while it is swept, nor is it swept while a run has it. Any thread may call; the
// thread is owned here.
class Sweeper {
 public:
  struct Pace {
    std::chrono::milliseconds first = std::chrono::seconds{10};
    std::chrono::milliseconds longest = std::chrono::minutes{10};
  };
  Sweeper(const capture::Services& services, Runner& runner, Pace pace);
  ~Sweeper();  // stop()

  // A run of the machine has left something behind. Returns at once.
  void take_on(Id machine);
  // What is being swept is ended first; the rest stays recorded for the next life.
  void stop();

 private:
  struct Turn {
    std::chrono::steady_clock::time_point next;
    std::chrono::milliseconds pause;
  };

  void work();
  void sweep(std::unique_lock<std::mutex>& lock, Id machine);

  const capture::Services& services_;
  Runner& runner_;
  const Pace pace_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable moved_;
  std::map<Id, Turn> turns_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace holdfast::runs
