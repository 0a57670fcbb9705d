// Makes one machine's restore point, from freeze to commit.
//
//   recover ─► point row ─► freeze ─► name, chain row ─► bytes ─► publish ─► commit ─► source released
//                              │                           │         │          │
//                              └────────── any failure ────┴─────────┴──────────┘
//                       discard the bytes ─► source gives back (bitmaps merged) ─► point row removed
//
// If a source lied, the steps from the name on run once more, and make a full.
//
// Laws 1, 2, 3, 4, 5 and 6 are kept here: rows come before bytes; one rename publishes all disks, and one
// transaction commits them; the parent's change ids stay until the commit; a full has its reason, and rests
// on nothing.
#pragma once

#include <optional>
#include <string>

#include "engine/capture/import.h"
#include "engine/common/progress.h"
#include "engine/common/services.h"
#include "engine/sources/driver.h"

namespace holdfast::capture {

struct CaptureRequest {
  Id machine = 0;
  Id repository = 0;
  std::optional<PointKind> kind;           // absent: an increment where possible
  unsigned sample = 0;                     // percent of what the source calls unchanged to read all the same
  std::optional<std::uint64_t> bandwidth;  // bytes per second
  std::optional<FullEvery> full_every;     // makes a full when the chain is this old or long
  Id job = 0;
  std::optional<Id> execution_id;
  std::string flow, execution;            // names, for the manifest
  std::optional<ImportedImage> imported;  // captured instead of the machine's source
};

struct CaptureOutcome {
  Point point;
  std::uint64_t bytes_read = 0;
  std::optional<FullReason> unplanned_full;
  std::string remark;  // says what failed after the commit and is swept later; "" if nothing failed
};

// Returns ECANCELED after a cancel, EHOSTUNREACH if the source is unreachable, ENOMEDIUM if the repository is
// absent. On an error nothing of the point is left, or the rest is recorded for recover(). The caller ensures
// that no other capture of the machine is running.
Result<CaptureOutcome> back_up(const Services& services, const CaptureRequest& request,
                               ProgressMeter& progress, const source::Cancel& cancel);

}  // namespace holdfast::capture
