// Carries a machine's points from one repository into another: each point that the target lacks, the oldest
// first.
//
//   1. The copy's row is written.
//   2. Its layers' files are written into TIME.partial/, checked as they pass and again where they lie.
//   3. Manifest and RESTORE.txt are written; one rename publishes the directory.
//   4. One transaction commits layers, disks, copy and event.
//
// A layer is copied unchanged if the layer below it belongs to a point that the target has too, because both
// show the same. Otherwise the layer and those below it are merged into one file, down to the nearest such
// layer or to the full.
//
// A copy that is known to be damaged is removed and carried anew, if the point is whole at the origin
// (remake.h).
//
// Points that the flow's policy would not keep at the target are not carried, because they would be pruned at
// once.
//
// After a failure or a kill the next run continues, and keeps what is in TIME.partial/ if its checksums are
// right. The row proves that the directory is ours. Anything else under that name stays as it is, and the
// point is not carried.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/common/progress.h"
#include "engine/common/services.h"
#include "engine/sources/driver.h"

namespace holdfast::replication {

struct ReplicationRequest {
  Id flow = 0;
  Id machine = 0;
  Id from = 0, to = 0;                     // ids of repositories
  std::optional<std::uint64_t> bandwidth;  // bytes per second
  Id job = 0;
  Id execution_id = 0;
  std::string execution;  // "flows/F/executions/E"
};

struct ReplicationOutcome {
  std::vector<std::string> points;    // names of the points that were carried
  std::vector<std::string> anew;      // names of the points whose damaged copies were removed first
  std::vector<std::string> failures;  // a sentence for each point that is damaged or unreadable at its origin
  bool is_damaged = false;            // at least one of them is damaged
  std::uint64_t bytes_transferred = 0;
  std::uint64_t bytes_stored = 0;
};

// Copies until the target lacks nothing. The caller ensures that no other job makes, carries or prunes points
// of the machine meanwhile. A point that is damaged at its origin, or on a bad place of its device, is
// skipped, because later ones may be whole. Returns ECANCELED after a cancel, ENOMEDIUM if a repository is
// absent, ENOSPC or EROFS if the target takes no data.
Result<ReplicationOutcome> replicate(const capture::Services& services, const ReplicationRequest& request,
                                     ProgressMeter& progress, const source::Cancel& cancel);

}  // namespace holdfast::replication
