// Checks whether stored data is what was written (law 13).
//
// A point is good when every layer that it rests on is good. A layer is read once, however many points share
// it. The result of each point is stored in the catalog and beside its manifest, with an event. An
// interrupted verification has stored the results of the points that it completed. A layer that can't be read
// says nothing of its points (law 21): no result is stored for them, and the verification goes on with the
// others.
//
// A copy is checked like a point of its own repository. The result is stored with the copy and says nothing
// of the point; the event log and the outcome have it too. A repository that is away says nothing of what
// lies there, and the other repositories are checked all the same.
//
// A layer of which every byte was read is noted as read once the result of a point that rests on it is
// stored.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/capture/throttle.h"
#include "engine/common/progress.h"
#include "engine/common/services.h"
#include "engine/retention/prune.h"
#include "engine/sources/driver.h"
#include "engine/verify/document_check.h"
#include "engine/verify/layer_check.h"

namespace holdfast::verify {

struct Damage {
  std::string point;  // "machines/m/points/T"
  std::string disk;
  std::string sentence;  // names the file and the offset
};

struct DamagedLayer {
  StoredLayer stored;
  Id repository = 0;
  Id machine = 0;
};

struct Wanted {
  std::vector<Id> points;
  std::vector<Id> copies{};
  std::vector<Id> repositories{};  // repositories whose own documents are looked at
};

struct VerifyOutcome {
  std::size_t points = 0;
  std::size_t damaged_points = 0;
  std::size_t layers = 0;
  std::uint64_t bytes_read = 0;
  std::vector<Damage> damage;  // each damaged layer once for each point that it spoils; at most 100
  std::size_t unreadable_points = 0;
  std::optional<Error> unreadable;  // the first reason; names point and disk
  std::vector<std::string> away;    // a sentence for each repository that could not be looked at
  std::vector<Misfit> documents;    // documents that are not what was written; they spoil no point
  std::vector<DamagedLayer> damaged_layers;
  Wanted harmed;  // points and copies that rest on them
};

// `quick`: every file exists, has its size and image id, and its checksums are those of the manifest.
// `checksums`: every stored byte is read as well. `compare`: each disk is also read whole by Holdfast and by
// QEMU (EINVAL: QEMU is not installed). Points that were removed meanwhile are skipped. Returns EIO if no
// repository could be looked at.
Result<VerifyOutcome> verify_points(const capture::Services& services, const Wanted& wanted,
                                    VerifyLevel level, ProgressMeter& progress, const source::Cancel& cancel);

// A part of what is stored, layer by layer.
struct Share {
  std::vector<Id> layers;
  std::vector<std::shared_ptr<capture::Throttle>> throttles;
  std::function<bool()> may_go_on;  // asked before each layer
};

struct ShareOutcome : VerifyOutcome {
  std::uint64_t bytes_counted = 0;  // size of the files that were read, and what was read of others
  std::vector<Id> unread;           // layers that could not be read
};

// Reads every byte of these layers. A layer that has gone is skipped. A damaged layer spoils each point and
// each copy that rests on it. A point is verified once all its layers were read and found right since its
// last verification. Returns the first error that concerns more than one layer; the outcome is of what was
// read until then.
Result<> read_share(const capture::Services& services, const Share& share, ProgressMeter& progress,
                    const source::Cancel& cancel, ShareOutcome& outcome);

// Returns the proof for one job that is about to remove a place of a point because another place stays. The
// proof reads each layer once, and stores each result as verify_points() does. Nobody else may change the
// machine's files meanwhile; the arguments must outlive the proof.
retention::Prove prover(const capture::Services& services, ProgressMeter& progress,
                        const source::Cancel& cancel);

}  // namespace holdfast::verify
