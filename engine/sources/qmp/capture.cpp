#include "engine/sources/qmp/capture.h"

#include "catalog/base/disk.h"
#include "catalog/base/log.h"
#include "engine/image/writer.h"
#include "engine/sources/qmp/frozen_reader.h"

namespace holdfast::source::qmp {
namespace {

constexpr std::uint64_t kGranularity = 64 * kKiB;     // of bitmaps: the size of most clusters
constexpr std::uint32_t kScratchCluster = 64 * kKiB;  // what one write of the guest makes QEMU copy

Json action(const char* type, Json data) { return {{"type", type}, {"data", std::move(data)}}; }

}  // namespace

Result<std::unique_ptr<FrozenMachine>> FrozenMachine::freeze(std::shared_ptr<Source> source,
                                                             const PrepareRequest& request,
                                                             std::vector<DiskPlan> plans,
                                                             nbd::Limits nbd_limits, Ledger& ledger) {
  std::unique_ptr<FrozenMachine> machine(new FrozenMachine(std::move(source), nbd_limits, ledger));
  if (auto made = machine->make(request, std::move(plans)); !made) {
    if (auto undone = machine->abandon(); !undone)
      log::warning("left at {} until the next sweep: {}", machine->source_->socket(), undone.error().message);
    return tl::make_unexpected(std::move(made).error());
  }
  return machine;
}

Result<> FrozenMachine::make(const PrepareRequest& request, std::vector<DiskPlan> plans) {
  scratch_ = request.scratch;
  HF_TRY(const auto scratch, open_directory(scratch_));
  HF_CHECK(check_scratch_space(*scratch));
  const std::string prefix = "hf-" + request.repository_marker + "-";
  const std::string node_prefix = "hf-" + request.repository_marker.substr(0, 8) + "-";
  for (DiskPlan& plan : plans) {
    const std::string random = random_hex(8);
    fleeces_.push_back({std::move(plan), prefix + random, node_prefix + random});
  }
  const std::string own = prefix + random_hex(8);  // of what serves all disks

  const auto record_server = [this](const std::string& path) {
    return record(LeftoverKind::nbd_server, path, detail_of(*source_));
  };
  HF_TRY(nbd_socket_,
         source_->nbd_server().join(NbdServer::socket_in(request.scratch, own + "-nbd"), record_server));
  const std::string directory = request.scratch + "/" + own;
  HF_CHECK(record(LeftoverKind::file, directory, detail_of(*source_)));
  HF_CHECK(scratch->make_directory(own));
  for (const Fleece& fleece : fleeces_) HF_CHECK(make_scratch(directory, fleece));
  HF_CHECK(freeze_all());
  for (const Fleece& fleece : fleeces_) HF_CHECK(make_export(fleece));

  for (const Fleece& fleece : fleeces_)
    disks_.push_back({.name = fleece.plan.name,
                      .capacity = fleece.plan.capacity,
                      .change_id = fleece.change_id,
                      .full_reason = fleece.plan.full_reason});
  return {};
}

Result<> FrozenMachine::make_scratch(const std::string& directory, const Fleece& fleece) {
  const std::string file = fleece.change_id + ".qcow2";
  {
    HF_TRY(const auto scratch, open_directory(directory));
    HF_TRY(const auto image, scratch->create(file));
    HF_CHECK(image::write_empty_image(*image, fleece.plan.capacity, kScratchCluster));
  }
  HF_CHECK(record(LeftoverKind::node, fleece.node, detail_of(*source_)));
  HF_CHECK(
      source_->execute("blockdev-add", {{"driver", "qcow2"},
                                        {"node-name", fleece.node},
                                        {"file", {{"driver", "file"}, {"filename", directory + "/" + file}}},
                                        {"backing", fleece.plan.node}}));
  return {};
}

// The order of the actions matters where the guest's disk has a thread of its own and writes between two
// of them: a new bitmap begins before the freeze and the parent's ends after it, so that such a write is in
// both of them, which costs a cluster, and never in neither, which would lose it.
Result<> FrozenMachine::freeze_all() {
  Json begin = Json::array(), copy = Json::array(), stop = Json::array();
  for (const Fleece& fleece : fleeces_) {
    const DiskPlan& plan = fleece.plan;
    HF_CHECK(record(LeftoverKind::bitmap, fleece.change_id,
                    detail_of(*source_, {.since = plan.since, .supersedes = plan.supersedes})));
    begin.push_back(action("block-dirty-bitmap-add", {{"node", plan.node},
                                                      {"name", fleece.change_id},
                                                      {"granularity", kGranularity},
                                                      {"persistent", plan.persistent}}));
    copy.push_back(action(
        "blockdev-backup",
        {{"job-id", fleece.change_id}, {"device", plan.node}, {"target", fleece.node}, {"sync", "none"}}));
    if (!plan.since.empty())
      stop.push_back(action("block-dirty-bitmap-disable", {{"node", plan.node}, {"name", plan.since}}));
  }
  for (const Fleece& fleece : fleeces_)
    HF_CHECK(record(LeftoverKind::block_job, fleece.change_id, detail_of(*source_)));

  Json actions = std::move(begin);
  actions.insert(actions.end(), copy.begin(), copy.end());
  actions.insert(actions.end(), stop.begin(), stop.end());
  HF_CHECK(source_->execute("transaction", {{"actions", std::move(actions)}}));
  frozen_at_ = system_clock().now();
  return {};
}

Result<> FrozenMachine::make_export(const Fleece& fleece) {
  HF_CHECK(record(LeftoverKind::nbd_export, fleece.change_id, detail_of(*source_)));
  Json arguments{
      {"type", "nbd"}, {"id", fleece.change_id}, {"node-name", fleece.node}, {"name", fleece.change_id}};
  // By its name alone, which QEMU finds in the node behind the scratch image; pairs of node and name are
  // understood since QEMU 7.1 only.
  if (!fleece.plan.since.empty()) arguments["bitmaps"] = Json::array({fleece.plan.since});
  HF_CHECK(source_->execute("block-export-add", arguments));
  return {};
}

Result<std::unique_ptr<DiskReader>> FrozenMachine::open(std::size_t disk) {
  const Fleece& fleece = fleeces_.at(disk);
  const nbd::Export exported{.socket = nbd_socket_,
                             .name = fleece.change_id,
                             .bitmap = fleece.plan.since,
                             .size = fleece.plan.capacity};
  HF_TRY(auto scratch, open_directory(scratch_));
  return std::make_unique<FrozenReader>(std::make_unique<nbd::Reader>(exported, nbd_limits_), source_,
                                        fleece.change_id, std::move(scratch));
}

Result<> FrozenMachine::commit() { return undo(*source_, made_, Outcome::committed, ledger_); }

Result<> FrozenMachine::abandon() { return undo(*source_, made_, Outcome::abandoned, ledger_); }

Result<Id> FrozenMachine::record(LeftoverKind kind, const std::string& name, const std::string& detail) {
  HF_TRY(const Id id, ledger_.record(kind, name, detail));
  made_.push_back({.id = id, .kind = kind, .name = name, .detail = detail});
  return id;
}

}  // namespace holdfast::source::qmp
