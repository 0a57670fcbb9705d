// One frozen instant of all disks of a machine behind QMP (law 4): the fleecing.
//
//   guest ── disk0 ──(before a cluster is overwritten, its old content is copied)──▶ scratch image
//              ▲                                                                    │
//              └──────────────── what was not overwritten ──────────────────────────┤
//                                                            NBD export, with the parent's bitmap
//
// Two ways lead there. Where all disks are devices of a guest and QEMU is new enough, they write through copy
// filters (copy_filter.h), which never hurt the guest. Elsewhere, as at a storage daemon, backup jobs do the
// copying, and a watch ends them before they find no room (scratch_watch.h).
//
// Order: the checks (plan.h); the NBD server; the scratch images, and the filters; the guest comes to rest
// where it has an agent (quiesce.h); new bitmaps begin, the freeze, the parents' bitmaps stop; the guest goes
// on; the exports. Each thing is in the ledger before it is made. What was recorded is what is undone
// (undo.h), whoever undoes it.
#pragma once

#include "engine/sources/driver.h"
#include "engine/sources/nbd/reader.h"
#include "engine/sources/qmp/copy_filter.h"
#include "engine/sources/qmp/plan.h"
#include "engine/sources/qmp/quiesce.h"
#include "engine/sources/qmp/scratch_watch.h"
#include "engine/sources/qmp/undo.h"

namespace holdfast::source::qmp {

class FrozenMachine final : public Capture {
 public:
  // Nothing is left at the source when it fails; or else what is left stays in the ledger.
  static Result<std::unique_ptr<FrozenMachine>> freeze(std::shared_ptr<Source> source,
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
  // One disk, and the names of what is made for it. All are "hf-<marker>-<random>": `change_id` names the
  // bitmap, the job, the export and the scratch file; a node's name is limited to 31 bytes, so its own has
  // less of the marker.
  struct Fleece {
    DiskPlan plan;
    std::string change_id;
    std::string node;  // of the scratch image
  };

  FrozenMachine(std::shared_ptr<Source> source, nbd::Limits nbd_limits, Ledger& ledger)
      : source_(std::move(source)), nbd_limits_(nbd_limits), ledger_(ledger) {}

  Result<> make(const PrepareRequest& request, std::vector<DiskPlan> plans);
  Result<> choose_filters();
  Result<> make_scratch(const std::string& directory, const Fleece& fleece);
  Result<> insert_filter(const CopyFilter& filter);
  Result<> record_bitmaps();
  Result<> freeze_at_rest();
  Result<> freeze_disks();
  Result<> freeze_by_jobs();
  Result<> freeze_by_filters();
  Result<> make_export(std::size_t disk);
  Json begin_bitmap(const Fleece& fleece) const;
  Json stop_parents() const;
  Result<> end(Outcome outcome);
  Result<Id> record(LeftoverKind kind, const std::string& name, const std::string& detail);

  const std::shared_ptr<Source> source_;
  const nbd::Limits nbd_limits_;
  Ledger& ledger_;
  std::vector<Fleece> fleeces_;
  std::vector<CopyFilter> filters_;      // one a fleece; none where jobs do the copying
  bool erring_ = false;                  // the exports, in the way that copy_filter.h tells
  std::shared_ptr<ScratchWatch> watch_;  // of the jobs
  std::unique_ptr<Agent> agent_;         // until the disks are frozen
  Quiesce quiesce_ = Quiesce::automatic;
  Consistency consistency_ = Consistency::crash;
  std::vector<FrozenDisk> disks_;
  Time frozen_at_{};
  std::string scratch_;
  std::string nbd_socket_;
  std::vector<Leftover> made_;  // and not yet undone
};

}  // namespace holdfast::source::qmp
