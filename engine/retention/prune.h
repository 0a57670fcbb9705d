// Pruning removes the points that no rule keeps and gives back their room (laws 11 and 12).
//
//   1. The repository is compared with the catalog.
//   2. For each point that loses a place, one of the places that stay is read and checked.
//   3. Points are retired with an event each, while no image can be opened.
//   4. Unneeded layers are removed and hidden data is punched out (room.h).
//   5. Long chains are merged (merging.h).
//
// The first step that fails ends the pruning of that repository, and nothing is deleted there. The machine's
// status says so until a pruning succeeds. The next pruning completes what was interrupted.
#pragma once

#include <functional>

#include "engine/retention/ground.h"
#include "engine/retention/plan.h"

namespace holdfast::retention {

enum class Judging {
  by_policy,  // removes what the rules no longer keep
  nobody,     // only completes the removal of what is retired already
};

// Reads one place of a point, the copy or else the point itself, and compares every stored byte with its
// checksums. Returns "" if the place is whole, else what is wrong there, and ECANCELED after a cancel.
using Prove = std::function<Result<std::string>(Id point, std::optional<Id> copy)>;

// Prunes a machine in all of its repositories. No other job may work on the machine. Returns ECANCELED after
// a cancel, EBUSY while the machine's points are being verified.
Result<PruneOutcome> prune(const capture::Services& services, Id machine, Judging judging, const Prove& prove,
                           const source::Cancel& cancel);

// Retires the point; the next pruning gives back its room. Returns EBUSY, with a sentence, if something holds
// the point, and EIO if the repository differs from the catalog.
Result<> retire_point(const capture::Services& services, Id point, const Caller& caller);

// Completes merges of the machine that an earlier process or a failure interrupted. No other job may work on
// the machine.
Result<> finish_merges(const capture::Services& services, Id machine);

}  // namespace holdfast::retention
