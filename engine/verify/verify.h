// Whether what is stored is what was written (law 13).
//
// A copy is looked at like a point of the repository that it lies in. What comes of that says nothing of the
// point: retention and replication know it of the copy, and it is in the event log and in the outcome.
//
// A point is good when every layer that it rests on is. Each layer is looked at once, however many points
// share it. What was found is written down point by point, in the catalog and beside the point's manifest,
// with an event each; a verification that was interrupted has told of the points that it came to.
#pragma once

#include <string>
#include <vector>

#include "engine/capture/progress.h"
#include "engine/capture/services.h"
#include "engine/sources/driver.h"

namespace holdfast::verify {

struct Damage {
  std::string point;  // "machines/m/points/T"
  std::string disk;
  std::string sentence;  // which file, and where in it
};

struct Outcome {
  std::size_t points = 0;
  std::size_t damaged_points = 0;
  std::size_t layers = 0;
  std::uint64_t bytes_read = 0;
  std::vector<Damage> damage;  // each damaged layer once a point that it spoils; the first hundred
};

struct Wanted {
  std::vector<Id> points;
  std::vector<Id> copies{};
};

// `quick`: every file is there and has its size, says that it is the image that it should be, and its
// checksums are those of the manifest. `checksums`: every stored byte is read, too. `compare`: each disk is
// also read whole, by us and by QEMU (EINVAL: it isn't here). Points that went meanwhile are passed over.
// EIO: a repository is not there, which says nothing of its points.
Result<Outcome> verify_points(const capture::Services& services, const Wanted& wanted, VerifyLevel level,
                              ProgressMeter& progress, const source::Cancel& cancel);

}  // namespace holdfast::verify
