// Completes later what a run could not: removes what is left at its source and in its repository, and
// finishes merges.
#pragma once

#include <chrono>
#include <map>
#include <thread>
#include <vector>

#include "catalog/base/mutex.h"
#include "engine/common/services.h"
#include "engine/runs/runner.h"

namespace holdfast::runs {

// Takes machines from the services' LeftBehind and tries each in a thread of its own, because one that hangs
// must not delay another: at once, and after pauses that double, until nothing is left. A machine is never
// swept while one of its runs is active, and no run begins meanwhile; only the source of a run that has ended
// in the catalog, and hangs in its repository, is let go. Any thread may call.
class Sweeper {
 public:
  struct Pace {
    std::chrono::milliseconds first = std::chrono::seconds{10};
    std::chrono::milliseconds longest = std::chrono::minutes{10};
  };
  Sweeper(const capture::Services& services, Runner& runner, Pace pace);
  ~Sweeper();  // calls stop()

  // Tries these at once. The caller has claimed each, so that no run begins before.
  void begin(const std::vector<Id>& claimed);
  // Completes the sweeps in progress. The rest stays recorded for the next start.
  void stop();

 private:
  enum class Claimed { yes, no };
  enum class Woken { by_time, by_a_run, by_stop };

  void take();
  void add(Id machine, Claimed claimed);
  void sweep_until_clean(Id machine, Claimed claimed);
  bool try_once(Id machine, Claimed claimed);
  Result<> sweep(Id machine);
  Woken wait(Id machine, std::chrono::milliseconds pause);
  bool is_over(Id machine);
  void end(Id machine);

  const capture::Services& services_;
  Runner& runner_;
  const Pace pace_;
  Mutex mutex_;
  CondVar changed_;
  bool stopping_ HF_GUARDED_BY(mutex_) = false;
  // The machines that a thread sweeps; true: a run has added the machine again meanwhile.
  std::map<Id, bool> sweeping_ HF_GUARDED_BY(mutex_);
  std::thread taking_;
};

// Returns the machines for which an earlier process left something.
Result<std::vector<Id>> machines_to_sweep(Catalog& catalog);

}  // namespace holdfast::runs
