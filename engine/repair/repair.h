// Heals stored data that is not what was written (law 13).
//
//   1. Everything is read and compared with its checksums (verify.h).
//   2. Each damaged layer gets its bytes back from a file that still has them (mend_layer.h).
//   3. Damaged documents are written anew, from the catalog.
//   4. The points that were damaged are read again, which stores their results.
//
// Bytes that no file has any more are named: of which disk, and of which points. They stay as they are, and
// reading them fails. A repository that can't be written to is left alone, and what lies in the others is
// healed.
#pragma once

#include <string>
#include <vector>

#include "engine/common/progress.h"
#include "engine/common/services.h"
#include "engine/image/host_ranges.h"
#include "engine/sources/driver.h"
#include "engine/verify/verify.h"

namespace holdfast::repair {

// Bytes that nothing healed.
struct Lost {
  std::string point;  // "machines/m/points/T"
  std::string disk;
  std::vector<image::DiskRange> ranges;  // empty: nobody can tell, because the image's tables are damaged
  std::string file;                      // relative to the repository
};

struct RepairOutcome {
  std::size_t damaged_layers = 0;
  std::size_t healed_layers = 0;
  std::uint64_t healed_bytes = 0;
  struct Healed {
    std::string object;  // a point that rests on it; "" for a document of the repository
    std::string file;    // relative to the repository
  };
  std::vector<Healed> healed;
  std::vector<Healed> documents;  // documents that were written anew
  std::vector<Lost> lost;
  std::vector<std::string> hindered;  // a sentence for whatever could not be tried
  verify::VerifyOutcome found;        // before
  std::size_t damaged_points = 0;     // afterwards
};

// Returns ECANCELED after a cancel; what is healed by then stays healed.
Result<RepairOutcome> repair(const capture::Services& services, const verify::Wanted& wanted,
                             ProgressMeter& progress, const source::Cancel& cancel);

}  // namespace holdfast::repair
