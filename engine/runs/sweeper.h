// Removes later what a run could not remove, at its source or in its repository.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <thread>

#include "engine/common/services.h"
#include "engine/runs/runner.h"

namespace holdfast::runs {

// Owns a thread that takes machines from the services' LeftBehind and tries one by one, after pauses that
// double; it sleeps while nothing is left. A machine is never swept while one of its runs is active, and no
// run begins meanwhile. Any thread may call.
class Sweeper {
 public:
  struct Pace {
    std::chrono::milliseconds first = std::chrono::seconds{10};
    std::chrono::milliseconds longest = std::chrono::minutes{10};
  };
  Sweeper(const capture::Services& services, Runner& runner, Pace pace);
  ~Sweeper();  // calls stop()

  // Completes the sweep in progress. The rest stays recorded for the next start.
  void stop();

 private:
  using Steady = std::chrono::steady_clock;

  // When a machine is tried next, and how long after that again.
  struct Attempt {
    Steady::time_point next;
    std::chrono::milliseconds pause;
  };

  void work();
  std::optional<Steady::time_point> next() const;
  void sweep(Id machine);

  const capture::Services& services_;
  Runner& runner_;
  const Pace pace_;
  std::map<Id, Attempt> attempts_;  // by machine; of the thread alone
  std::thread thread_;
};

}  // namespace holdfast::runs
