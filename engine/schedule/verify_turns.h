// Begins the verifications that policies ask for (verify/share.h), a job per repository at a time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "catalog/base/mutex.h"
#include "catalog/model/entities.h"
#include "catalog/stores/readings.h"
#include "engine/common/guard.h"
#include "engine/common/services.h"
#include "engine/runs/runner.h"
#include "engine/schedule/verify_window.h"
#include "engine/verify/share.h"

namespace holdfast::schedule {

// Looks once an hour, and when a window opens or a policy begins to ask. A daemon that was off makes up for
// a day at most, or for the longest pause of the policy's windows and a day. Times are those that the clock
// should show, so that a clock that jumps makes nothing due. Used by one thread. The constructor's arguments
// must outlive the object and its jobs.
class VerifyTurns {
 public:
  VerifyTurns(const capture::Services& services, runs::Runner& runner)
      : services_(services), runner_(runner) {}

  // Nothing is due while nobody has confirmed a recovered catalog.
  Result<> look();

 private:
  struct Asking {
    Policy policy;
    VerifyWindow window;
  };
  struct Found {
    std::vector<Readings::ReadLayer> layers;
    std::vector<Readings::Shown> shown;
    std::map<Id, std::optional<Time>> done_until;  // by policy
  };
  // Shared with jobs, which end in other threads.
  struct Jobs {
    Mutex mutex;
    std::set<Id> busy HF_GUARDED_BY(mutex);         // repositories
    std::map<Id, Time> tried HF_GUARDED_BY(mutex);  // by layer that could not be read
  };

  Result<std::map<Id, Asking>> asking();
  bool is_time(const std::map<Id, Asking>& asking, Time now);
  Result<> look_at(Id repository, const std::map<Id, Asking>& asking, Time now);
  Result<Found> find(Id repository, const std::map<Id, Asking>& asking);
  bool is_there(Id repository);
  Result<> note_outdated(const std::map<Id, verify::Portion>& portions);
  std::function<bool()> going_on(Id repository, const VerifyWindow& window, std::shared_ptr<Guard> busy);
  Result<> begin(Id repository, const Asking& asking, verify::Portion portion, Time done_until, Time now);

  const capture::Services& services_;
  runs::Runner& runner_;
  const std::shared_ptr<Jobs> jobs_ = std::make_shared<Jobs>();
  std::set<Id> open_;  // policies whose window was open at the last look
  std::optional<Time> looked_at_;
};

}  // namespace holdfast::schedule
