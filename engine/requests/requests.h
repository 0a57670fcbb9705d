// Requests that become work, and requests about work.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/base/error.h"
#include "catalog/base/mutex.h"
#include "catalog/model/entities.h"
#include "engine/common/observer.h"
#include "engine/runs/request.h"

namespace holdfast {

class Bell;
class Changes;
class FlowRuns;
class Reading;
namespace capture {
struct Services;
}
namespace runs {
class Prunings;
class Runner;
struct Asked;
struct Work;
}  // namespace runs

// Checks the name that a caller gives to a job; "" lets the daemon name it. Nobody takes a name of the
// daemon's own: those are ids, which anybody can foresee.
Result<> check_job_name(const std::string& name);

// Checks, accepts and records work with its event in one transaction, and returns before the work begins; a
// refused request changes nothing. Everything passed to the constructor must outlive it. Any thread may call.
class Requests {
 public:
  Requests(const capture::Services& services, runs::Runner& runner, runs::Prunings& prunings,
           FlowRuns& flow_runs, Changes& changes, const Reading& reading, Bell& scheduler)
      : services_(services),
        runner_(runner),
        prunings_(prunings),
        flow_runs_(flow_runs),
        changes_(changes),
        reading_(reading),
        scheduler_(scheduler) {}

  // Runs a flow; returns the execution.
  Result<Id> run(Id flow, const RunRequest& request, const Caller& caller);
  // Runs all enabled flows that the caller may change and whose names match the shell pattern, or none of
  // them. Returns ENOENT if there is no such flow.
  Result<std::vector<Id>> run_matching(std::string_view pattern, const RunRequest& request,
                                       const Caller& caller);

  // Makes a point of the machine, as a flow would. Returns the job, as the calls below do.
  Result<Id> back_up(Id machine, const BackupRequest& request, const Caller& caller);
  // Imports an image of the host as a machine's first point. Returns EPERM unless the caller is root.
  Result<Id> import_image(Id repository, const ImportRequest& request, const Caller& caller);
  // Verifies a point, or all that a machine or a repository has.
  Result<Id> verify(ObjectKind kind, Id object, const VerifyRequest& request, const Caller& caller);
  // Heals what is damaged of a point, or of all that a machine or a repository has.
  Result<Id> repair(ObjectKind kind, Id object, const std::string& name, const Caller& caller);
  // Boots a point in an isolated QEMU.
  Result<Id> boot_check(Id point, const BootCheckRequest& request, const Caller& caller);
  // Adds what the repository has and the catalog lacks. EPERM unless the caller is root.
  Result<Id> rescan(Id repository, const std::string& name, const Caller& caller);
  // Lists what belongs to nothing in the repository, sets it aside, or deletes what lies aside. EPERM unless
  // the caller is root.
  Result<Id> gc(Id repository, const GcRequest& request, const Caller& caller);
  // Checks everything that a run of the flow, or a run into the repository, needs. Moves and makes nothing.
  Result<Id> test(ObjectKind kind, Id object, const std::string& name, const Caller& caller);
  // Prunes a machine by the policies of the flows that made its points.
  Result<Id> prune(Id machine, const PruneRequest& request, const Caller& caller);

  // Return EINVAL if it has ended, or does not run.
  Result<> cancel_flow(Id flow, const Caller& caller);
  Result<> cancel_execution(Id execution, const Caller& caller);
  Result<> cancel_job(Id job, const Caller& caller);

  // Ends runs of the machine for good; after `keep` all its points go. A second call changes the time.
  Result<> retire(Id machine, std::chrono::seconds keep, const Caller& caller);
  Result<> unretire(Id machine, const Caller& caller);  // EINVAL unless retired
  // Makes the machine's next point in each repository a full. Returns EBUSY during a run.
  Result<> reset_cbt(Id machine, const Caller& caller);

  // Lets go of the repository's file system until attach(), or the next start. Returns EBUSY while a job or a
  // reader uses it.
  Result<> detach(Id repository, const Caller& caller);
  Result<> attach(Id repository, const Caller& caller);
  // Takes the lease of a daemon that did not give it back. EPERM unless the caller is root; EINVAL if this
  // daemon writes there, or without a reason; EBUSY if a process of this host does.
  Result<> take_over(Id repository, const std::string& why, const Caller& caller);

  // Accepts no new work from now on. The job ends when all work has ended and no image is open.
  Result<Id> drain(const DrainRequest& request, const Caller& caller);
  // EINVAL unless draining, the clock is in doubt, or nothing starts because the catalog was recovered.
  Result<> resume(const Caller& caller);

 private:
  // Hands accepted work to the runner; returns its job.
  Result<Id> take_on(Result<runs::Work> accepted, const runs::Asked& asked);

  const capture::Services& services_;
  runs::Runner& runner_;
  runs::Prunings& prunings_;
  FlowRuns& flow_runs_;
  Changes& changes_;
  const Reading& reading_;
  Bell& scheduler_;
  Mutex draining_mutex_;                             // one drain or resume at a time
  Id drain_job_ HF_GUARDED_BY(draining_mutex_) = 0;  // the latest
};

}  // namespace holdfast
