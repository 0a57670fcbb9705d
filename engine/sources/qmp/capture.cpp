#include "engine/sources/qmp/capture.h"

#include <algorithm>

#include "catalog/base/disk.h"
#include "catalog/base/log.h"
#include "engine/image/writer.h"
#include "engine/sources/qmp/erring_reader.h"
#include "engine/sources/qmp/frozen_reader.h"
#include "engine/sources/qmp/guest_disks.h"

namespace holdfast::source::qmp {
namespace {

constexpr std::uint64_t kGranularity = 64 * kKiB;     // bitmap granularity: the most common cluster size
constexpr std::uint32_t kScratchCluster = 64 * kKiB;  // the unit that QEMU copies for one write of the guest

// Endings of the names of further exports, which tell holes only.
constexpr const char* kOfDisk = "-disk";
constexpr const char* kOfScratch = "-scratch";

Json action(const char* type, Json data) { return {{"type", type}, {"data", std::move(data)}}; }

}  // namespace

Result<std::unique_ptr<FrozenMachine>> FrozenMachine::freeze(std::shared_ptr<Monitor> monitor,
                                                             const PrepareRequest& request,
                                                             std::vector<DiskPlan> plans,
                                                             nbd::Limits nbd_limits, Ledger& ledger) {
  std::unique_ptr<FrozenMachine> machine(new FrozenMachine(std::move(monitor), nbd_limits, ledger));
  if (auto made = machine->make(request, std::move(plans)); !made) {
    if (auto undone = machine->abandon(); !undone)
      log::warning("left at {} until the next sweep: {}", machine->monitor_->socket(),
                   undone.error().message);
    return tl::make_unexpected(std::move(made).error());
  }
  return machine;
}

Result<> FrozenMachine::make(const PrepareRequest& request, std::vector<DiskPlan> plans) {
  scratch_ = {.directory = request.scratch, .reserve = request.scratch_reserve};
  HF_TRY(const auto scratch, open_directory(request.scratch));
  HF_CHECK(scratch_.check());
  const std::string prefix = "hf-" + request.repository_marker + "-";
  const std::string node_prefix = "hf-" + request.repository_marker.substr(0, 8) + "-";
  for (DiskPlan& plan : plans) {
    const std::string random = random_hex(8);
    fleeces_.push_back({std::move(plan), prefix + random, node_prefix + random});
  }
  HF_CHECK(choose_filters());
  HF_TRY(const MachineFields fields, fields_of(request.machine));
  HF_TRY(agent_, agent_for(*monitor_, fields.quiesce, monitor_->limits().agent));
  quiesce_ = fields.quiesce;
  const std::string own = prefix + random_hex(8);  // the name for things that serve all disks

  const auto record_server = [this](const std::string& path) {
    return record(LeftoverKind::nbd_server, path, detail_of(*monitor_));
  };
  HF_TRY(nbd_socket_,
         monitor_->nbd_server().join(NbdServer::socket_in(request.scratch, own + "-nbd"), record_server));
  const std::string directory = request.scratch + "/" + own;
  HF_CHECK(record(LeftoverKind::file, directory, detail_of(*monitor_)));
  HF_CHECK(scratch->make_directory(own));
  for (const Fleece& fleece : fleeces_) HF_CHECK(make_scratch(directory, fleece));
  for (const CopyFilter& filter : filters_) HF_CHECK(insert_filter(filter));
  HF_CHECK(record_bitmaps());
  HF_CHECK(freeze_at_rest());
  for (std::size_t i = 0; i < fleeces_.size(); ++i) HF_CHECK(make_exports(i));
  if (!filters_.empty()) watch_ = std::make_shared<ScratchWatch>(scratch_, let_go());

  for (const Fleece& fleece : fleeces_)
    disks_.push_back({.name = fleece.plan.name,
                      .capacity = fleece.plan.capacity,
                      .change_id = fleece.change_id,
                      .full_reason = fleece.plan.full_reason});
  return {};
}

// Chooses filters for all disks or for none, because one command must freeze them.
Result<> FrozenMachine::choose_filters() {
  HF_TRY(const GuestDisks guest, GuestDisks::of(*monitor_));
  const bool all_have_devices = std::ranges::all_of(fleeces_, [&](const Fleece& fleece) {
    return !fleece.plan.read_only && guest.with(fleece.plan.node) != nullptr;
  });
  if (!all_have_devices) return {};
  HF_TRY(const bool known, has_copy_filters(*monitor_));
  if (!known) return {};
  HF_TRY(erring_, errs_on_partly_copied(*monitor_));
  for (const Fleece& fleece : fleeces_)
    filters_.push_back(name_filter(fleece.node, fleece.plan.node, guest.with(fleece.plan.node)->device));
  return {};
}

Result<> FrozenMachine::make_scratch(const std::string& directory, const Fleece& fleece) {
  const std::string file = fleece.change_id + ".qcow2";
  {
    HF_TRY(const auto scratch, open_directory(directory));
    HF_TRY(const auto image, scratch->create(file));
    HF_CHECK(image::write_empty_image(*image, fleece.plan.capacity, kScratchCluster));
  }
  HF_CHECK(record(LeftoverKind::node, fleece.node, detail_of(*monitor_)));
  const Json backing = filters_.empty() ? Json(fleece.plan.node) : Json();
  HF_CHECK(
      monitor_->execute("blockdev-add", {{"driver", "qcow2"},
                                         {"node-name", fleece.node},
                                         {"file", {{"driver", "file"}, {"filename", directory + "/" + file}}},
                                         {"backing", backing}}));
  return {};
}

Result<> FrozenMachine::insert_filter(const CopyFilter& filter) {
  HF_CHECK(record(LeftoverKind::node, filter.copy, detail_of(*monitor_)));
  HF_CHECK(add_copy(*monitor_, filter));
  HF_CHECK(record(LeftoverKind::node, filter.top, detail_of(*monitor_)));
  HF_CHECK(add_top(*monitor_, filter));
  HF_CHECK(record(LeftoverKind::drive, filter.top, detail_of(*monitor_, DriveDetail{.node = filter.node})));
  return insert(*monitor_, filter);
}

Result<> FrozenMachine::record_bitmaps() {
  for (const Fleece& fleece : fleeces_)
    HF_CHECK(record(LeftoverKind::bitmap, fleece.change_id,
                    detail_of(*monitor_, BitmapDetail{.since = fleece.plan.since,
                                                      .supersedes = fleece.plan.supersedes})));
  return {};
}

Json FrozenMachine::begin_bitmap(const Fleece& fleece) const {
  return action("block-dirty-bitmap-add", {{"node", fleece.plan.node},
                                           {"name", fleece.change_id},
                                           {"granularity", kGranularity},
                                           {"persistent", fleece.plan.persistent}});
}

Json FrozenMachine::stop_parents() const {
  Json actions = Json::array();
  for (const Fleece& fleece : fleeces_)
    if (!fleece.plan.since.empty())
      actions.push_back(
          action("block-dirty-bitmap-disable", {{"node", fleece.plan.node}, {"name", fleece.plan.since}}));
  return actions;
}

// The freeze is recorded before it is asked for, and thawed whatever it returns. A daemon that dies in
// between thaws at its next start.
Result<> FrozenMachine::freeze_at_rest() {
  if (!agent_) return freeze_disks();
  HF_TRY(const Id recorded, record(LeftoverKind::fsfreeze, "the guest's file systems", detail_of(*monitor_)));
  Result<> at_rest = bring_to_rest(*agent_);
  std::optional<Result<>> frozen;
  if (at_rest) {
    frozen = freeze_disks();
    at_rest = check_at_rest(*agent_);
  }
  const auto thawed = agent_->thaw();
  agent_.reset();
  if (!thawed) return within(thawed.error(), "thawing the guest at {}", monitor_->socket());
  HF_CHECK(ledger_.forget(recorded));
  std::erase_if(made_, [&](const Leftover& each) { return each.id == recorded; });
  if (frozen) HF_CHECK(*frozen);
  if (at_rest) {
    consistency_ = Consistency::filesystem;
    return {};
  }
  if (quiesce_ == Quiesce::required)
    return within(at_rest.error(),
                  "the guest at {} could not be quiesced, which its machine's \"quiesce\" requires",
                  monitor_->socket());
  log::warning("the guest at {} is not quiesced: {}", monitor_->socket(), at_rest.error().message);
  return frozen ? Result<>{} : freeze_disks();
}

Result<> FrozenMachine::freeze_disks() { return filters_.empty() ? freeze_by_jobs() : freeze_by_filters(); }

// The order of the actions matters: a disk with a thread of its own may write between two of them. A new
// bitmap begins before the freeze and the parent's ends after it. Such a write is then in both bitmaps, which
// costs a cluster; in neither, it would be lost (law 3).
Result<> FrozenMachine::freeze_by_jobs() {
  Json actions = Json::array();
  for (const Fleece& fleece : fleeces_) actions.push_back(begin_bitmap(fleece));
  std::vector<std::string> jobs;
  for (const Fleece& fleece : fleeces_) {
    jobs.push_back(fleece.change_id);
    HF_CHECK(record(LeftoverKind::block_job, fleece.change_id, detail_of(*monitor_)));
    actions.push_back(action("blockdev-backup", {{"job-id", fleece.change_id},
                                                 {"device", fleece.plan.node},
                                                 {"target", fleece.node},
                                                 {"sync", "none"}}));
  }
  for (Json& stop : stop_parents()) actions.push_back(std::move(stop));
  HF_CHECK(monitor_->execute("transaction", {{"actions", std::move(actions)}}));
  frozen_at_ = system_clock().now();
  watch_ = std::make_shared<ScratchWatch>(scratch_, [monitor = monitor_, jobs = std::move(jobs)] {
    for (const std::string& job : jobs)
      if (const auto cancelled = monitor->execute("job-cancel", {{"id", job}}); !cancelled)
        log::warning("job {} was to be ended for want of scratch space: {}", job, cancelled.error().message);
  });
  return {};
}

// The order is that of freeze_by_jobs(), for the same reason.
Result<> FrozenMachine::freeze_by_filters() {
  Json begin = Json::array();
  for (const Fleece& fleece : fleeces_) begin.push_back(begin_bitmap(fleece));
  HF_CHECK(monitor_->execute("transaction", {{"actions", std::move(begin)}}));
  HF_CHECK(qmp::freeze(*monitor_, filters_));
  frozen_at_ = system_clock().now();
  if (Json stop = stop_parents(); !stop.empty())
    HF_CHECK(monitor_->execute("transaction", {{"actions", std::move(stop)}}));
  for (const CopyFilter& filter : filters_) {
    HF_CHECK(record(LeftoverKind::node, filter.access, detail_of(*monitor_)));
    HF_CHECK(add_access(*monitor_, filter));
  }
  return {};
}

// Returns the release of all but the bitmaps: QEMU lets a guest go back to its disk only when the exports are
// gone. The ledger keeps the names; undo() then finds nothing under them.
std::function<void()> FrozenMachine::let_go() const {
  class NoLedger final : public Ledger {
    Result<Id> record(LeftoverKind, const std::string&, const std::string&) override { return Id{}; }
    Result<> forget(Id) override { return {}; }
  };
  return [monitor = monitor_, made = made_] {
    NoLedger none;
    std::vector<Leftover> each = made;
    if (const auto gone = undo(*monitor, each, PointFate::unknown, none); !gone)
      log::warning("the source at {} was to be let go of for want of scratch space: {}", monitor->socket(),
                   gone.error().message);
  };
}

Result<> FrozenMachine::make_exports(std::size_t disk) {
  const Fleece& fleece = fleeces_[disk];
  // QEMU finds a bitmap by its name alone in the node behind a scratch image. QEMU 7.1 and newer, which has
  // filters, also takes pairs of node and name.
  Json bitmaps = Json::array();
  if (!fleece.plan.since.empty() && filters_.empty()) bitmaps.push_back(fleece.plan.since);
  if (!fleece.plan.since.empty() && !filters_.empty())
    bitmaps.push_back({{"node", fleece.plan.node}, {"name", fleece.plan.since}});
  HF_CHECK(make_export(fleece.change_id, filters_.empty() ? fleece.node : filters_[disk].access, bitmaps));
  if (!erring_) return {};
  HF_CHECK(make_export(fleece.change_id + kOfDisk, fleece.plan.node, Json::array()));
  return make_export(fleece.change_id + kOfScratch, fleece.node, Json::array());
}

Result<> FrozenMachine::make_export(const std::string& name, const std::string& node, const Json& bitmaps) {
  HF_CHECK(record(LeftoverKind::nbd_export, name, detail_of(*monitor_)));
  Json arguments{{"type", "nbd"}, {"id", name}, {"node-name", node}, {"name", name}};
  if (!bitmaps.empty()) arguments["bitmaps"] = bitmaps;
  HF_CHECK(monitor_->execute("block-export-add", arguments));
  return {};
}

Result<std::unique_ptr<DiskReader>> FrozenMachine::open(std::size_t disk) {
  const Fleece& fleece = fleeces_.at(disk);
  const nbd::Export exported{.socket = nbd_socket_,
                             .name = fleece.change_id,
                             .bitmap = fleece.plan.since,
                             .size = fleece.plan.capacity,
                             .erring = erring_,
                             .negotiation = monitor_->nbd_server().negotiation()};
  std::unique_ptr<DiskReader> reader = std::make_unique<nbd::Reader>(exported, nbd_limits_);
  if (erring_) {
    const auto holes_of = [&](const char* which) {
      nbd::Export other = exported;
      other.name += which;
      other.bitmap.clear();
      other.erring = false;
      return std::make_unique<nbd::Reader>(std::move(other), nbd_limits_);
    };
    reader = std::make_unique<ErringReader>(std::move(reader), holes_of(kOfDisk), holes_of(kOfScratch));
  }
  StillFrozen still_frozen =
      filters_.empty() ? by_job(monitor_, fleece.change_id) : by_filter(monitor_, filters_.at(disk).top);
  return std::make_unique<FrozenReader>(std::move(reader), fleece.plan.capacity, std::move(still_frozen),
                                        scratch_, watch_);
}

Result<> FrozenMachine::commit() { return end(PointFate::committed); }

Result<> FrozenMachine::abandon() { return end(PointFate::failed); }

Result<> FrozenMachine::end(PointFate fate) {
  agent_.reset();  // the agent serves one client at a time, and undo() may need it
  watch_.reset();
  return undo(*monitor_, made_, fate, ledger_);
}

// Nothing more is made after a cancel.
Result<Id> FrozenMachine::record(LeftoverKind kind, const std::string& name, const std::string& detail) {
  if (nbd_limits_.cancel != nullptr && nbd_limits_.cancel->requested()) return fail(ECANCELED, "cancelled");
  HF_TRY(const Id id, ledger_.record(kind, name, detail));
  made_.push_back({.id = id, .kind = kind, .name = name, .detail = detail});
  return id;
}

}  // namespace holdfast::source::qmp
