// One frozen instant of a machine behind QMP: the fleecing.
//
//   guest ── disk0 ──(before a cluster is overwritten, its old content is copied)──▶ scratch image
//              ▲                                                                    │ backing: disk0
//              └──────────────── what was not overwritten ──────────────────────────┤
//                                                            NBD export, with the parent's bitmap
//
// Order: the checks (plan.h); the NBD server; the scratch images; one transaction that for all disks begins
// the new bitmaps, starts the copying, which is the freeze, and stops the parents' bitmaps; the exports. Each
// thing is in the ledger before it is made. What was recorded is what is undone (undo.h), whoever undoes it.
#pragma once

#include "engine/sources/driver.h"
#include "engine/sources/nbd/reader.h"
#include "engine/sources/qmp/plan.h"
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
  Consistency consistency() const override { return Consistency::crash; }
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
    std::string node;
  };

  FrozenMachine(std::shared_ptr<Source> source, nbd::Limits nbd_limits, Ledger& ledger)
      : source_(std::move(source)), nbd_limits_(nbd_limits), ledger_(ledger) {}

  Result<> make(const PrepareRequest& request, std::vector<DiskPlan> plans);
  Result<> make_scratch(const std::string& directory, const Fleece& fleece);
  Result<> freeze_all();
  Result<> make_export(const Fleece& fleece);
  Result<Id> record(LeftoverKind kind, const std::string& name, const std::string& detail);

  const std::shared_ptr<Source> source_;
  const nbd::Limits nbd_limits_;
  Ledger& ledger_;
  std::vector<Fleece> fleeces_;
  std::vector<FrozenDisk> disks_;
  Time frozen_at_{};
  std::string scratch_;
  std::string nbd_socket_;
  std::vector<Leftover> made_;  // and not yet undone
};

}  // namespace holdfast::source::qmp
