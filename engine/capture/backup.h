// One machine's restore point, from freeze to commit.
//
//   recover ─► point row ─► freeze ─► name, chain row ─► bytes ─► publish ─► commit ─► source released
//                              │                           │         │          │
//                              └────────── any failure ────┴─────────┴──────────┘
//                                          a source that lied: from the name on once more, as a full
//                       discard the bytes ─► source gives back (bitmaps merged) ─► point row removed
//
// Laws 1, 2, 3, 4, 5 and 6 are kept here: rows come before bytes; one rename publishes all disks, and one
// transaction commits them; the parent's change ids stay until the commit; a full has its reason, and rests
// on nothing.
#pragma once

#include <optional>
#include <string>

#include "engine/capture/import.h"
#include "engine/capture/progress.h"
#include "engine/capture/services.h"
#include "engine/sources/driver.h"

namespace holdfast::capture {

struct BackupRequest {
  Id machine = 0;
  Id repository = 0;
  std::optional<PointKind> kind;  // empty: an increment where that is possible
  unsigned sample = 0;            // percent of what a source calls unchanged that is read all the same
  std::optional<std::uint64_t> bandwidth;  // bytes a second
  std::optional<FullEvery> full_every;     // a full when the chain has come so far
  bool prunes = false;                     // the machine is pruned when it is done
  Id job = 0;
  std::optional<Id> execution_id;
  std::string flow, execution;            // names, for the manifest
  std::optional<ImportedImage> imported;  // is captured in the place of what the machine's source has
};

struct BackupOutcome {
  Point point;
  std::uint64_t bytes_read = 0;
  std::optional<FullReason> unplanned_full;
  std::string remark;  // what went wrong after the commit, and is made good later; "" when nothing did
};

// ECANCELED after a cancel. EHOSTUNREACH: the source could not be reached; ENOMEDIUM: the repository. On any
// error nothing of the point is left, or what is left is recorded for recover(). The caller sees to it that
// no other capture of the machine is running.
Result<BackupOutcome> back_up(const Services& services, const BackupRequest& request, ProgressMeter& progress,
                              const source::Cancel& cancel);

}  // namespace holdfast::capture
