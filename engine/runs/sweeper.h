// Removes later what a run could not remove, at its source or in its repository.
#pragma once

#include <chrono>
#include <map>
#include <thread>

#include "catalog/base/mutex.h"
#include "engine/capture/services.h"
#include "engine/runs/runner.h"

namespace holdfast::runs {

// Owns a thread that tries machine by machine, after pauses that double; it sleeps while nothing is left. A
// machine is never swept while one of its runs is active, and no run begins meanwhile. Any thread may call.
class Sweeper {
 public:
  struct Pace {
    std::chrono::milliseconds first = std::chrono::seconds{10};
    std::chrono::milliseconds longest = std::chrono::minutes{10};
  };
  Sweeper(const capture::Services& services, Runner& runner, Pace pace);
  ~Sweeper();  // calls stop()

  // Adds a machine for which a run left something behind. Returns at once.
  void take_on(Id machine);
  // Completes the sweep in progress. The rest stays recorded for the next start.
  void stop();

 private:
  struct Turn {
    std::chrono::steady_clock::time_point next;
    std::chrono::milliseconds pause;
  };

  void work();
  void sweep(Id machine) HF_REQUIRES(mutex_);

  const capture::Services& services_;
  Runner& runner_;
  const Pace pace_;
  Mutex mutex_;
  CondVar moved_;
  std::map<Id, Turn> turns_ HF_GUARDED_BY(mutex_);
  bool stopping_ HF_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace holdfast::runs
