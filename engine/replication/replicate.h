// Carries a machine's points from one repository into another: each that the other one lacks, the oldest
// first.
//
//   copy row ─► TIME.partial/: its layers' files, checked as they pass and once more where they lie
//     ─► manifest, RESTORE.txt, one rename ─► one transaction: layers, disks, copy, event
//
// A point's own layer goes over as it is, where the one that it rests on is the layer of a point that the
// other side has as a copy: the two show the same. Else it becomes one file together
// with all below it, down to the nearest such layer, or down to the full: what shows the same, and rests on
// that.
//
// A point that the flow's policy would not keep there is not carried: it would only go again.
//
// What fails or is killed is taken up again by the next run: what lies in TIME.partial/ is used after its
// checksums were looked at. The row is what says that it is ours; anything else under that name stays as it
// is, and the point is not carried.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/capture/progress.h"
#include "engine/capture/services.h"
#include "engine/sources/driver.h"

namespace holdfast::replication {

struct Request {
  Id flow = 0;
  Id machine = 0;
  Id from = 0, to = 0;                     // repositories
  std::optional<std::uint64_t> bandwidth;  // bytes a second
  bool prunes = false;                     // the machine is pruned when it is done
  Id job = 0;
  Id execution_id = 0;
  std::string execution;  // "flows/F/executions/E"
};

struct Outcome {
  std::vector<std::string> points;    // that were carried, by name
  std::vector<std::string> failures;  // a sentence for each that couldn't be: damaged where it lies
  std::uint64_t bytes_transferred = 0;
  std::uint64_t bytes_stored = 0;
};

// The caller sees to it that nothing else makes, carries or prunes points of the machine meanwhile. A point
// that is damaged where it lies is passed over; those after it may be whole. ECANCELED after a cancel.
// ENOMEDIUM: a repository is not there. ENOSPC, EROFS.
Result<Outcome> replicate(const capture::Services& services, const Request& request, ProgressMeter& progress,
                          const source::Cancel& cancel);

}  // namespace holdfast::replication
