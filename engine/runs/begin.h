// How what a user asks for becomes work: checked, recorded with its event in one transaction, and handed back
// for the runner. A refusal leaves nothing. A file each: flow.cpp, backup.cpp, import.cpp, verification.cpp,
// pruning.cpp, trial.cpp.
#pragma once

#include <vector>

#include "engine/capture/services.h"
#include "engine/observer.h"
#include "engine/runs/request.h"
#include "engine/runs/work.h"

namespace holdfast::runs {

// Of one flow: an execution, and a job for each machine that it backs up. Without any it has ended already.
struct FlowRun {
  Id execution = 0;
  std::vector<Work> works;
  std::optional<Execution> ended;  // at once
};

// All of them, or none. EINVAL: a flow can't run. EACCES: its owner may not (law 19). EBUSY: it is running.
// EEXIST: the name is taken. ENOENT: a machine that is not the flow's.
Result<std::vector<FlowRun>> begin_flows(const capture::Services& services, const std::vector<Id>& flows,
                                         const RunRequest& request, const Caller& caller);

// What makes a flow run without anybody asking: "schedules/nightly", or the flow before it. In the
// transaction of the caller, which a refusal ends as well. Its execution is `scheduled`.
Result<FlowRun> begin_scheduled_flow(db::Connection& db, const capture::Services& services, Id flow,
                                     const std::string& by);

// EINVAL: machine or repository has no definition. ENOENT: there is no such repository. EACCES: it is not the
// caller's to use. EEXIST: the name is taken.
Result<Work> begin_backup(const capture::Services& services, Id machine, const BackupRequest& request,
                          const Caller& caller);

// EINVAL: the image can't be read rightly, or the disk is not clear. ENOENT: there is no such machine, disk
// or file. EEXIST: the machine has a point there, or the name is taken. EBUSY: work on its first point there
// is under way, or the file is being written to. EROFS, EIO: the repository can't be written to, or is not
// there.
Result<Work> begin_import(const capture::Services& services, Id repository, const ImportRequest& request,
                          const Caller& caller);

// Of a point, or of all points of a machine or a repository. EEXIST: the name is taken. EIO: a repository is
// not there.
Result<Work> begin_verification(const capture::Services& services, ObjectKind kind, Id object,
                                const VerifyRequest& request, const Caller& caller);

// When a flow's schedule starts it, as whoever knows says.
struct NextStarts {
  std::string schedule;  // of a flow; "": none
  std::vector<Time> times;
};
// A dry run: all that a flow, or one that writes to a repository, needs is looked at, each in a line of the
// job's log. Nothing is moved, nothing made at a source. EEXIST: the name is taken.
Result<Work> begin_trial(const capture::Services& services, ObjectKind kind, Id object,
                         const std::string& name, NextStarts next, const Caller& caller);

// EINVAL, with a sentence: no more points are made of it. Inside a transaction.
Result<> check_not_retired(db::Connection& db, Id machine);

// EEXIST: the name is taken. Without a caller it is the daemon's own.
Result<Work> begin_pruning(const capture::Services& services, Id machine, const PruneRequest& request,
                           const std::optional<Caller>& caller);

}  // namespace holdfast::runs
