// The interface between the engine and the drivers of sources.
//
// A driver freezes all disks of a machine at one instant and lets them be read, with their allocated and
// their changed areas. Then it either keeps the new change ids (commit) or restores the earlier state
// (abandon). It records each thing in the Ledger, by its exact name, before it makes that thing at the
// source. A later life of the daemon can therefore remove it (sweep).
//
// Laws 3, 4, 8 and 9: changes are never lost, all disks are one instant, nothing is left behind, and an error
// names the disk that can't be protected.
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

// The cancel flag of a job: set once, read by all who work for the job.
class Cancel {
 public:
  void request() { requested_ = true; }
  bool requested() const { return requested_; }

 private:
  std::atomic<bool> requested_{false};
};

// The record of the things that captures make at sources. record() returns when the record is durable.
class Ledger {
 public:
  virtual ~Ledger() = default;
  virtual Result<Id> record(LeftoverKind kind, const std::string& name, const std::string& detail) = 0;
  virtual Result<> forget(Id id) = 0;  // the thing is gone from the source
};

// A disk of the definition, with facts of its last point.
struct DiskRequest : DiskDefinition {
  std::string since;  // the parent point's change id; empty: read everything
  // The change id to remove when the new one is committed: the parent's, even if it can't serve as `since` (a
  // full was asked for). It goes on recording until then.
  std::string supersedes;
  std::optional<std::uint64_t> last_capacity;  // the parent point's
  std::string last_identity;                   // the disk's identity at the parent point; "" if unknown
};

// The end of the point that a capture's change ids belong to.
enum class PointFate { unknown, committed, failed };

struct PrepareRequest {
  MachineDefinition machine;
  std::string repository_marker;  // change ids are named "hf-<marker>-<random>"
  std::vector<DiskRequest> disks;
  // An existing directory of the host for sockets and copy-before-write files. All captures share it, because
  // they may share a socket; the names made in it are unique.
  std::string scratch;
  std::uint64_t scratch_reserve = SettingsDefinition{}.scratch_reserve;  // bytes that stay free there
  // Ends every wait for the source, in the capture's readers, too. It outlives the capture; null: nobody
  // cancels.
  const Cancel* cancel = nullptr;
};

struct FrozenDisk {
  std::string name;
  std::uint64_t capacity = 0;
  std::string change_id;                  // a later capture passes it as `since`; "" if there is none
  std::optional<FullReason> full_reason;  // if set, no increment is possible
  // True if the source can't tell which areas have changed. An increment then stores the clusters whose
  // content differs from the parent's. Otherwise it stores the areas that the extents call changed.
  bool by_content = false;
  // Only by content: the extents' changes come from a bitmap that its user manages, and only changed areas
  // are read. A share of the unchanged areas must be read too (law 7).
  bool trusts_bitmap = false;
  // The source's identity of the disk, another one for another disk; "" if it can't tell.
  std::string identity;
  std::string remark;  // one sentence, if something differs from the definition; otherwise ""
};

// A validated extent (law 7): extents are in order, in range and without gaps.
struct Extent {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool zero = false;    // reads as zeros, so it need not be read
  bool changed = true;  // since the parent's change id; always true if everything is read
};

struct Range {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// Reads one frozen disk. One thread at a time.
class DiskReader {
 public:
  virtual ~DiskReader() = default;
  static constexpr std::uint64_t kMostOfAPiece = 256 * kKiB;
  // Covers exactly [offset, offset + length).
  virtual Result<std::vector<Extent>> extents(std::uint64_t offset, std::uint64_t length) = 0;
  // Reads the ranges in pieces of at most 256 KiB, many in flight, in any order. A piece never crosses a
  // multiple of 256 KiB. `sink` is called from one thread at a time and may wait; its error ends the reading.
  // ECANCELED after a cancel.
  using Sink = std::function<Result<>(std::uint64_t offset, ByteView data)>;
  virtual Result<> read(std::span<const Range> ranges, const Sink& sink, const Cancel& cancel) = 0;
};

// One frozen instant of one machine. One thread at a time. Destroying it without commit() or abandon() only
// closes its connections: the things it made stay at the source, and in the ledger for sweep().
class Capture {
 public:
  virtual ~Capture() = default;
  virtual Time frozen_at() const = 0;
  virtual Consistency consistency() const = 0;
  virtual const std::vector<FrozenDisk>& disks() const = 0;  // in the order of the request
  virtual Result<std::unique_ptr<DiskReader>> open(std::size_t disk) = 0;
  // Call when the point is committed. Removes everything that was made, and the change ids that only the
  // parent needed.
  virtual Result<> commit() = 0;
  // Call when the point has failed. Removes everything that was made; the parent's change ids then have every
  // change since.
  virtual Result<> abandon() = 0;
};

class Driver {
 public:
  virtual ~Driver() = default;
  // Freezes all disks, or fails and leaves nothing at the source. Each disk may fall back to a full
  // (full_reason). The ledger outlives the capture.
  virtual Result<std::unique_ptr<Capture>> prepare(const PrepareRequest& request, Ledger& ledger) = 0;
  // Removes the leftovers of an earlier life by their exact recorded names: freezes first, then the newest
  // first; one that is gone already is no error. If their point was committed, its change ids stay and the
  // parent's go; if it failed, the other way round; while its fate is unknown, both stay, recorded. Forgets
  // in the ledger what was removed. After an error the rest stays recorded for the next try.
  virtual Result<> sweep(const MachineDefinition& machine, std::span<const Leftover> leftovers,
                         PointFate fate, Ledger& ledger) = 0;
  // Returns the detail with which a leftover `unwanted_bitmap` lets sweep() remove a change id from which no
  // capture will continue; nullopt if the driver keeps none at the source. Asks nobody, because callers are
  // inside of a transaction.
  virtual std::optional<std::string> detail_of_unwanted(const MachineDefinition&) { return std::nullopt; }
  struct Discovered {
    std::string name;
    std::uint64_t capacity = 0;
    bool tracks_changes = false;
    std::string why_not;  // why it doesn't track changes, or what limits the tracking; one sentence
    std::vector<std::string> change_ids{};  // an increment can begin at each of them
  };
  // A path of this host.
  struct HostName {
    std::string path;
    std::function<Result<>(ByteView start)> check{};  // checks the first bytes there; null: any will do
  };
  // Lists the paths that the machine's definition names.
  virtual Result<std::vector<HostName>> host_names(const MachineDefinition& machine) = 0;
  // Lists the machine's disks at the source. Changes nothing.
  virtual Result<std::vector<Discovered>> discover(const MachineDefinition& machine) = 0;
};

}  // namespace holdfast::source
