// Turns requests into work: each is checked, recorded with its event in one transaction, and returned for the
// runner. A refused request changes nothing. One file each: flow.cpp, backup.cpp, import.cpp,
// verification.cpp, repair.cpp, boot_check.cpp, pruning.cpp, rescan.cpp, gc.cpp, trial.cpp.
#pragma once

#include <vector>

#include "engine/common/observer.h"
#include "engine/common/services.h"
#include "engine/runs/request.h"
#include "engine/runs/work.h"

namespace holdfast::repository {
class Definitions;
}

namespace holdfast::runs {

class Prunings;

// An accepted run of a flow: an execution, and a job for each machine. Without machines it has already ended.
struct FlowRun {
  Id execution = 0;
  std::vector<Work> works;
  std::optional<Execution> ended;  // set if the execution ended at once
};

// Accepts all flows or none. Returns EINVAL if a flow can't run, EACCES if its owner may not (law 19), EBUSY
// if it is running, EEXIST if the name is taken, ENOENT for a machine outside of the flow.
Result<std::vector<FlowRun>> begin_flows(const capture::Services& services, Prunings& prunings,
                                         const std::vector<Id>& flows, const RunRequest& request,
                                         const Caller& caller);

// Accepts a run that no user asked for. `by` is what starts it: "schedules/nightly", or the flow before it.
// Its execution is `scheduled`. Runs in the caller's transaction, which a refusal must end.
Result<FlowRun> begin_scheduled_flow(db::Connection& db, const capture::Services& services,
                                     Prunings& prunings, Id flow, const std::string& by);

// Returns EINVAL if machine or repository has no definition, ENOENT if the repository doesn't exist, EACCES
// if the caller may not use it, EEXIST if the name is taken.
Result<Work> begin_backup(const capture::Services& services, Id machine, const BackupRequest& request,
                          const Caller& caller);

// Returns EINVAL if the image can't be read or the disk is ambiguous, ENOENT if machine, disk or file doesn't
// exist, and EEXIST if the machine has a point there or the name is taken. Returns EBUSY if another job makes
// the machine's first point there or the file is being written. Returns EROFS or EIO if the repository is
// read-only or absent.
Result<Work> begin_import(const capture::Services& services, Id repository, const ImportRequest& request,
                          const Caller& caller);

// Verifies a point, or all points of a machine or a repository. Returns EEXIST if the name is taken, EIO if a
// repository is absent.
Result<Work> begin_verification(const capture::Services& services, ObjectKind kind, Id object,
                                const VerifyRequest& request, const Caller& caller);

// Heals what is damaged of a point, or of all points of a machine or a repository (repair/repair.h). Returns
// EEXIST if the name is taken.
Result<Work> begin_repair(const capture::Services& services, ObjectKind kind, Id object,
                          const std::string& name, const Caller& caller);

// Boots a point in an isolated QEMU. Returns EEXIST if the name is taken, ENOENT if the point has gone,
// EINVAL for a timeout that is too short or too long.
Result<Work> begin_boot_check(const capture::Services& services, Id point, const BootCheckRequest& request,
                              const Caller& caller);

// The next starts of a flow by its schedule, for the report of a dry run.
struct NextStarts {
  std::string schedule;  // name of the flow's schedule; "": none
  std::vector<Time> times;
};
// Accepts a dry run of a flow or of a repository. Checks all that a run needs, one
// line of the job's log for each finding; moves no data and makes nothing at a source. Returns EEXIST if the
// name is taken.
Result<Work> begin_trial(const capture::Services& services, ObjectKind kind, Id object,
                         const std::string& name, NextStarts next, const Caller& caller);

// Accepts a rescan: what the repository has and the catalog lacks is added (rescan/rescan.h). Returns EEXIST
// if the name is taken, EINVAL if the repository has no definition.
Result<Work> begin_rescan(const capture::Services& services, repository::Definitions& definitions,
                          Id repository, const std::string& name, const Caller& caller);

// Accepts a garbage collection (retention/gc.h). Returns EEXIST if the name is taken, EINVAL if the
// repository has no definition.
Result<Work> begin_gc(const capture::Services& services, Id repository, const GcRequest& request,
                      const Caller& caller);

// Returns EINVAL, with a sentence, if the machine is retired. Call inside a transaction.
Result<> check_not_retired(db::Connection& db, Id machine);

// Returns EEXIST if the name is taken. Without a caller the daemon itself asks.
Result<Work> begin_pruning(const capture::Services& services, Id machine, const PruneRequest& request,
                           const std::optional<Caller>& caller);

}  // namespace holdfast::runs
