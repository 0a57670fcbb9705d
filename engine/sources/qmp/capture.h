// Freezes all disks of a machine behind QMP at one instant (law 4), by fleecing.
//
//   guest ── disk0 ──(before a cluster is overwritten, its old content is copied)──▶ scratch image
//              ▲                                                                    │
//              └──────────────── clusters that were not overwritten ────────────────┤
//                                                            NBD export, with the parent's bitmap
//
// Two ways lead to the instant. If all disks are devices of a guest and QEMU is new enough, they write
// through copy filters (copy_filter.h), which never hurt the guest. Otherwise, for example at a storage
// daemon, backup jobs copy, and a watch ends them before they run out of room (scratch_watch.h).
//
// Order: the checks (disk_plan.h); the NBD server; the scratch images and the filters; a guest with an agent
// comes to rest (quiesce.h); new bitmaps begin, the freeze, the parents' bitmaps stop; the guest goes on; the
// exports. Each thing is in the ledger before it is made. undo() removes the recorded things, in this life of
// the daemon or in a later one (law 8).
#pragma once

#include "engine/sources/driver.h"
#include "engine/sources/nbd/reader.h"
#include "engine/sources/qmp/copy_filter.h"
#include "engine/sources/qmp/disk_plan.h"
#include "engine/sources/qmp/quiesce.h"
#include "engine/sources/qmp/scratch_watch.h"
#include "engine/sources/qmp/undo.h"

namespace holdfast::source::qmp {

class FrozenMachine final : public Capture {
 public:
  // On failure nothing is left at the source, or the leftovers stay in the ledger.
  static Result<std::unique_ptr<FrozenMachine>> freeze(std::shared_ptr<Monitor> monitor,
                                                       const PrepareRequest& request,
                                                       std::vector<DiskPlan> plans, nbd::Limits nbd_limits,
                                                       Ledger& ledger);

  Time frozen_at() const override { return frozen_at_; }
  Consistency consistency() const override { return consistency_; }
  const std::vector<FrozenDisk>& disks() const override { return disks_; }
  Result<std::unique_ptr<DiskReader>> open(std::size_t disk) override;
  Result<> commit() override;
  Result<> abandon() override;

 private:
  // One disk, and the names of the things made for it. `change_id`, "hf-<marker>-<random>", names the bitmap,
  // the job, the export and the scratch file. The node's name has a shorter marker, because QEMU limits it to
  // 31 bytes.
  struct Fleece {
    DiskPlan plan;
    std::string change_id;
    std::string node;  // the scratch image's
  };

  FrozenMachine(std::shared_ptr<Monitor> monitor, nbd::Limits nbd_limits, Ledger& ledger)
      : monitor_(std::move(monitor)), nbd_limits_(nbd_limits), ledger_(ledger) {}

  Result<> make(const PrepareRequest& request, std::vector<DiskPlan> plans);
  Result<> choose_filters();
  Result<> make_scratch(const std::string& directory, const Fleece& fleece);
  Result<> insert_filter(const CopyFilter& filter);
  Result<> record_bitmaps();
  Result<> freeze_at_rest();
  Result<> freeze_disks();
  Result<> freeze_by_jobs();
  Result<> freeze_by_filters();
  std::function<void()> let_go() const;
  Result<> make_exports(std::size_t disk);
  Result<> make_export(const std::string& name, const std::string& node, const Json& bitmaps);
  Json begin_bitmap(const Fleece& fleece) const;
  Json stop_parents() const;
  Result<> end(PointFate fate);
  Result<Id> record(LeftoverKind kind, const std::string& name, const std::string& detail);

  const std::shared_ptr<Monitor> monitor_;
  const nbd::Limits nbd_limits_;
  Ledger& ledger_;
  std::vector<Fleece> fleeces_;
  std::vector<CopyFilter> filters_;      // one for each fleece; empty if jobs copy
  bool erring_ = false;                  // whether the exports err as copy_filter.h tells
  std::shared_ptr<ScratchWatch> watch_;  // from the freeze, or with filters from the exports on
  std::unique_ptr<Agent> agent_;         // until the disks are frozen
  Quiesce quiesce_ = Quiesce::automatic;
  Consistency consistency_ = Consistency::crash;
  std::vector<FrozenDisk> disks_;
  Time frozen_at_{};
  ScratchArea scratch_;
  std::string nbd_socket_;
  std::vector<Leftover> made_;  // and not undone yet
};

}  // namespace holdfast::source::qmp
