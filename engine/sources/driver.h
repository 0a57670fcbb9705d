// What the engine wants of a source of disks, whatever speaks to it.
//
// A driver freezes all disks of a machine at one instant, lets them be read with what is allocated and what
// has changed, and afterwards either keeps the new change ids (commit) or makes it so that nothing
// had been asked (abandon). Whatever it makes at the source is told to the Ledger first, by its exact
// name, so that another life of the daemon can take it away again (sweep). Laws 3, 4, 8 and 9: changes are
// never lost, all disks are one instant, nothing is left behind, and an error names the disk that can't be
// protected.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "catalog/base/bytes.h"
#include "catalog/base/clock.h"
#include "catalog/base/error.h"
#include "catalog/model/entities.h"

namespace holdfast::source {

// Set once, seen by everything that works for a job.
class Cancel {
 public:
  void request() { requested_ = true; }
  bool requested() const { return requested_; }

 private:
  std::atomic<bool> requested_{false};
};

// Where a capture records what it is about to make. record() returns only when that is durable.
class Ledger {
 public:
  virtual ~Ledger() = default;
  virtual Result<Id> record(LeftoverKind kind, const std::string& name, const std::string& detail) = 0;
  virtual Result<> forget(Id id) = 0;  // it is gone from the source
};

// A disk of the definition, and what is known of it from its last point.
struct DiskRequest : DiskDefinition {
  std::string since;  // the parent point's change id; empty: read everything
  // What goes from the source when the new change id is committed: the parent's, also when it can't serve
  // as `since` (a full was asked for). Until then it goes on recording.
  std::string supersedes;
  std::optional<std::uint64_t> last_capacity;  // of the parent point
  std::string last_identity;                   // what its disk was known by; "" when nobody knows
};

struct PrepareRequest {
  MachineDefinition machine;
  std::string repository_marker;  // change ids are named "hf-<marker>-<random>"
  std::vector<DiskRequest> disks;
  // An existing directory of the host for sockets and copy-before-write files. One for all captures, since
  // they may share a socket: what is made in it has names of its own.
  std::string scratch;
};

struct FrozenDisk {
  std::string name;
  std::uint64_t capacity = 0;
  std::string change_id;                  // what a later capture passes as `since`; "" when there is none
  std::optional<FullReason> full_reason;  // set: no increment can be made of it, whatever there is
  // The source can't be relied upon to tell what has changed: what an increment stores is what differs from
  // the content of the parent. Without it, an increment is what the extents call changed.
  bool by_content = false;
  // Of a disk by content: its extents tell changes by the word of a bitmap that its user manages, so that not
  // all is read. A share of what they call unchanged has to be (law 7).
  bool trusts_bitmap = false;
  std::string
      identity;  // what the source knows the disk by: another one is another disk; "" when it can't tell
  std::string remark;  // one sentence, when something is not as the definition has it; "" when all is
};

// Validated (law 7): in order, in range, no gaps.
struct Extent {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool zero = false;    // reads as zeros; need not be read
  bool changed = true;  // since the parent's change id; true throughout when everything is read
};

struct Range {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// One frozen disk, being read. One thread at a time.
class DiskReader {
 public:
  virtual ~DiskReader() = default;
  static constexpr std::uint64_t kMostOfAPiece = 256 * kKiB;
  // Covers exactly [offset, offset + length).
  virtual Result<std::vector<Extent>> extents(std::uint64_t offset, std::uint64_t length) = 0;
  // Reads the ranges, in pieces of at most 256 KiB, many in flight, in any order; a piece never crosses
  // a multiple of that. `sink` is called from one thread at a time, may wait (back-pressure), and
  // its error ends the reading. ECANCELED after a cancel.
  using Sink = std::function<Result<>(std::uint64_t offset, ByteView data)>;
  virtual Result<> read(std::span<const Range> ranges, const Sink& sink, const Cancel& cancel) = 0;
};

// One frozen instant of one machine. One thread at a time. When it goes without commit() or abandon(),
// it only closes its connections: what it made stays at the source, and in the ledger for sweep().
class Capture {
 public:
  virtual ~Capture() = default;
  virtual Time frozen_at() const = 0;
  virtual Consistency consistency() const = 0;
  virtual const std::vector<FrozenDisk>& disks() const = 0;  // in the order of the request
  virtual Result<std::unique_ptr<DiskReader>> open(std::size_t disk) = 0;
  // The point is committed: takes away what was made, and the change ids that only the parent needed.
  virtual Result<> commit() = 0;
  // The point will not be: takes away what was made, the parent's change ids hold every change since.
  virtual Result<> abandon() = 0;
};

class Driver {
 public:
  virtual ~Driver() = default;
  // All disks, or an error and nothing left at the source. Falls back disk by disk (full_reason).
  // The ledger outlives the capture.
  virtual Result<std::unique_ptr<Capture>> prepare(const PrepareRequest& request, Ledger& ledger) = 0;
  // Undoes what an earlier life left, by exact recorded name, newest first; what is already gone is fine.
  // `committed`: the point of these leftovers was committed, so its change ids stay and the parent's go.
  // Forgets in the ledger what it has swept. An error leaves the rest recorded for the next try.
  virtual Result<> sweep(const MachineDefinition& machine, std::span<const Leftover> leftovers,
                         bool committed, Ledger& ledger) = 0;
  struct Discovered {
    std::string name;
    std::uint64_t capacity = 0;
    bool tracks_changes = false;
    std::string why_not;                    // one sentence; also what limits it when it does
    std::vector<std::string> change_ids{};  // that an increment can be made since
  };
  // What the source has now of the machine's disks. Changes nothing.
  virtual Result<std::vector<Discovered>> discover(const MachineDefinition& machine) = 0;
};

// The driver of that kind; they live as long as the program.
Driver& driver_for(holdfast::Driver kind);

}  // namespace holdfast::source
