#include "engine/rescan/join.h"

#include <algorithm>
#include <map>
#include <set>

#include "catalog/stores/boot_checks.h"
#include "catalog/stores/document_digests.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/pins.h"
#include "catalog/stores/points.h"
#include "catalog/stores/recovered.h"
#include "catalog/stores/retention.h"

namespace holdfast::rescan {
namespace {

// Adds the points of one machine in one repository.
class Joining {
 public:
  Joining(db::Connection& db, Machine machine, Id repository, bool lacks_commits, Time now)
      : db_(db),
        machine_(std::move(machine)),
        repository_(repository),
        lacks_commits_(lacks_commits),
        now_(now) {}

  Result<> begin() {
    HF_TRY(const auto layers, Retention(db_).layers(machine_.id, repository_));
    for (const Layer& layer : layers) layers_.emplace(layer.file, layer);
    HF_TRY(const auto disks, Machines(db_).disks(machine_.id));
    for (const Disk& disk : disks) disks_.emplace(disk.name, disk);
    return {};
  }

  Result<> add(FoundPoint found) {
    std::ranges::move(found.findings, std::back_inserter(joined_.findings));
    for (const FoundDisk& each : found.disks) seen_.insert(each.file);
    const bool stands = found.point.state == PointState::committed;
    if (found.disks.empty() && !stands) return {};  // the last image has gone
    HF_TRY(const auto known, Recovered(db_).find(machine_.id, found.point.name));
    if (!known) return add_point(std::move(found));
    HF_TRY(const Point point, Points(db_).get(*known));
    if (found.names_its_id && found.point.id != point.id) {
      joined_.findings.push_back(
          {machine_.key + "/" + found.point.name, "the catalog has another point of that name"});
      return {};
    }
    if (stands) HF_CHECK(add_facts(point.id, found));
    HF_TRY(const auto digests, DocumentDigests(db_).get(point.id, repository_));
    if (stands && (lacks_commits_ || digests.manifest.empty())) HF_CHECK(add_digests(point.id, found));
    HF_TRY(const bool is_there, Recovered(db_).lies_in(point.id, repository_));
    if (!is_there) return add_copy(point, found);
    HF_CHECK(renew_layers(found));
    if (!stands) return Recovered(db_).retire(point.id, repository_, now_);
    ++joined_.known;
    return {};
  }

  // A catalog that lacks commits lets go of what the newer one has deleted there. To any other catalog it is
  // damage, which a verification finds.
  Result<> let_go(const std::set<std::string>& directories) {
    HF_TRY(auto layers, Retention(db_).layers(machine_.id, repository_));
    std::ranges::reverse(layers);
    for (const auto& layer : layers) {
      const std::string directory = layer.file.substr(0, layer.file.find('/'));
      if (seen_.contains(layer.file) || directories.contains(directory)) continue;
      HF_TRY(const auto point, Recovered(db_).find(machine_.id, directory));
      if (point) HF_CHECK(Recovered(db_).retire(*point, repository_, now_));
      if (const auto gone = Retention(db_).forget_layer(layer.id, now_); !gone) {
        if (gone.error().code != EBUSY) return gone;
        joined_.findings.push_back({machine_.key + "/" + layer.file, "it is gone, and others rest on it"});
        continue;
      }
      if (point) HF_CHECK(Retention(db_).forget_if_bare(*point));
      ++joined_.gone;
    }
    return {};
  }

  Joined done() { return std::move(joined_); }

 private:
  Result<> add_point(FoundPoint found) {
    HF_TRY(const auto layers, layers_of(found));
    if (!layers) return {};
    Point point = found.point;
    point.machine_id = machine_.id;
    point.repository_id = repository_;
    point.chain_id = chain_;
    HF_TRY(point.parent_point_id, parent_of(found));
    point.kind = point.parent_point_id ? PointKind::incremental : PointKind::full;
    if (point.kind == PointKind::incremental)
      point.full_reason.reset();
    else if (!point.full_reason)
      point.full_reason = FullReason::no_parent;
    point.disks = disks_in(found, *layers);
    if (found.is_copy) be_carried(point);
    if (!found.is_whole) point.verified = {now_, VerifyLevel::quick, VerdictResult::bad};
    HF_TRY(point, Recovered(db_).add(std::move(point), *layers));
    keep(*layers);
    if (point.state == PointState::retired) return {};
    HF_CHECK(add_facts(point.id, found));
    HF_CHECK(add_digests(point.id, found));
    ++joined_.points;
    return see_disks(point);
  }

  // No capture takes up from a copy.
  static void be_carried(Point& point) {
    point.carried = true;
    for (PointDisk& disk : point.disks) {
      disk.change_id.clear();
      disk.content_sha256.clear();
    }
  }

  void keep(const std::vector<Layer>& layers) {
    for (const Layer& layer : layers) layers_.insert_or_assign(layer.file, layer);
  }

  // A newer catalog may have merged what this one knows.
  Result<> renew_layers(const FoundPoint& found) {
    if (!found.is_whole) return {};
    for (const FoundDisk& each : found.disks) {
      const auto known = layers_.find(each.file);
      if (known == layers_.end() || known->second.image_id == each.image_id) continue;
      Layer& layer = known->second;
      layer.image_id = each.image_id;
      layer.file_bytes = each.file_bytes;
      layer.sums_sha256 = each.disk.sums_sha256;
      const auto below = layers_.find(each.rests_on);
      layer.parent_layer_id = below == layers_.end() ? std::nullopt : std::optional{below->second.id};
      HF_CHECK(Recovered(db_).set_layer(layer, each.disk.content_sha256));
    }
    return {};
  }

  static std::vector<PointDisk> disks_in(const FoundPoint& found, const std::vector<Layer>& layers) {
    std::vector<PointDisk> disks;
    for (std::size_t i = 0; i < found.disks.size(); ++i) {
      PointDisk disk = found.disks[i].disk;
      disk.id = new_id();
      disk.disk_id = layers[i].disk_id;
      disk.layer_id = layers[i].id;
      disks.push_back(std::move(disk));
    }
    return disks;
  }

  // The newest point says what a disk was like.
  Result<> see_disks(const Point& point) {
    for (const PointDisk& disk : point.disks) {
      HF_CHECK(Machines(db_).set_capacity(disk.disk_id, disk.capacity));
      if (!disk.source_identity.empty())
        HF_CHECK(Machines(db_).set_source_identity(disk.disk_id, disk.source_identity));
    }
    return {};
  }

  // The order in which repositories are joined may be another one than that in which they were written.
  Result<> add_copy(const Point& point, const FoundPoint& found) {
    HF_TRY(const auto layers, layers_of(found));
    if (!layers) return {};
    Copy copy;
    copy.id = new_id();
    copy.point_id = point.id;
    copy.machine_id = machine_.id;
    copy.repository_id = repository_;
    copy.chain_id = chain_;
    HF_TRY(copy.flow_id, Recovered(db_).known_flow(found.point.flow_id));
    copy.created_at = found.copied_at.value_or(found.point.time);
    copy.bytes_stored = found.point.bytes_stored;
    copy.sequence = found.point.sequence;
    copy.manifest_sha256 = found.point.manifest_sha256;
    copy.damaged = found.damaged || !found.is_whole;
    copy.state = found.point.state;
    copy.kind = PointKind::full;
    for (std::size_t i = 0; i < found.disks.size(); ++i) {
      const Layer& layer = (*layers)[i];
      if (layer.parent_layer_id) copy.kind = PointKind::incremental;
      copy.disks.push_back({.id = new_id(),
                            .disk_id = layer.disk_id,
                            .layer_id = layer.id,
                            .bytes_stored = found.disks[i].disk.bytes_stored,
                            .sums_sha256 = found.disks[i].disk.sums_sha256});
    }
    HF_CHECK(Recovered(db_).add(copy, *layers));
    keep(*layers);
    if (copy.state == PointState::retired) return {};
    if (point.state == PointState::retired) {
      ++joined_.points;
      return Recovered(db_).take_over(point.id, copy.id, now_);
    }
    ++joined_.copies;
    if (found.is_copy || !point.carried) return {};
    Point home = found.point;
    home.disks = disks_in(found, *layers);
    return Recovered(db_).take_home(point.id, copy.id, home, now_);
  }

  // Makes the rows of the point's layers, and finds their chain; nullopt, with a finding, if one rests on a
  // file that isn't there.
  Result<std::optional<std::vector<Layer>>> layers_of(const FoundPoint& found) {
    std::vector<Layer> layers;
    chain_ = 0;
    for (const FoundDisk& each : found.disks) {
      Layer layer{
          .id = new_id(), .file = each.file, .image_id = each.image_id, .file_bytes = each.file_bytes};
      HF_TRY(layer.disk_id, disk_named(each.disk.name));
      if (!each.rests_on.empty()) {
        const auto below = layers_.find(each.rests_on);
        if (below == layers_.end() || below->second.disk_id != layer.disk_id) {
          joined_.findings.push_back(
              {machine_.key + "/" + each.file, "it rests on " + each.rests_on + ", which is not there"});
          return std::nullopt;
        }
        layer.parent_layer_id = below->second.id;
        chain_ = below->second.chain_id;
      }
      layers.push_back(std::move(layer));
    }
    if (chain_ == 0) {
      HF_TRY(chain_, chain_for(found.point));
    }
    for (Layer& layer : layers) layer.chain_id = chain_;
    return layers;
  }

  Result<Id> chain_for(const Point& point) {
    if (const auto made = chains_.find(point.chain_id); made != chains_.end()) return made->second;
    HF_TRY(const Id id, Recovered(db_).add_chain({.id = point.chain_id,
                                                  .machine_id = machine_.id,
                                                  .repository_id = repository_,
                                                  .created_at = point.time}));
    chains_.emplace(point.chain_id, id);
    return id;
  }

  Result<Id> disk_named(const std::string& name) {
    if (const auto known = disks_.find(name); known != disks_.end()) return known->second.id;
    HF_CHECK(Machines(db_).add_disk(machine_.id, name));
    HF_TRY(const auto disks, Machines(db_).disks(machine_.id));
    for (const Disk& disk : disks) disks_.emplace(disk.name, disk);
    return disks_.at(name).id;
  }

  // The point that the manifest names, or, after its last layer went, that of the layer below.
  Result<std::optional<Id>> parent_of(const FoundPoint& found) {
    if (!found.parent.empty()) {
      HF_TRY(const auto named, Recovered(db_).find(machine_.id, found.parent));
      if (named) return named;
    }
    for (const FoundDisk& disk : found.disks) {
      if (disk.rests_on.empty()) continue;
      const std::string below = disk.rests_on.substr(0, disk.rests_on.find('/'));
      HF_TRY(const auto its, Recovered(db_).find(machine_.id, below));
      if (its) return its;
    }
    return std::nullopt;
  }

  // Takes the documents as they lie there: nobody knew them, or a newer catalog has written them.
  Result<> add_digests(Id point, const FoundPoint& found) {
    DocumentDigests digests(db_);
    HF_CHECK(digests.set_manifest(point, repository_, found.point.manifest_sha256));
    return digests.set_facts(point, repository_, found.facts_sha256);
  }

  // Pins only ever keep, so those of both sides hold.
  Result<> add_facts(Id point, const FoundPoint& found) {
    HF_TRY(const auto pins, Pins(db_).of_point(point));
    for (Pin pin : found.pins) {
      const auto same = [&](const Pin& one) {
        return one.at == pin.at && one.why == pin.why && one.until == pin.until;
      };
      if (std::ranges::any_of(pins, same)) continue;
      pin.id = new_id();
      pin.point_id = point;
      HF_CHECK(Pins(db_).add(pin));
    }
    HF_TRY(const auto verdicts, Verdicts(db_).of_point(point));
    for (Verdict verdict : found.verdicts) {
      const auto same = [&](const Verdict& one) {
        return one.at == verdict.at && one.by_name == verdict.by_name && one.result == verdict.result;
      };
      if (std::ranges::any_of(verdicts, same)) continue;
      verdict.id = new_id();
      verdict.point_id = point;
      HF_CHECK(Verdicts(db_).add(verdict));
    }
    return add_boot_check(point, found);
  }

  // The newer check counts.
  Result<> add_boot_check(Id point, const FoundPoint& found) {
    if (!found.boot_check) return {};
    HF_TRY(const auto known, BootChecks(db_).of_point(point));
    if (known && known->at >= found.boot_check->at) return {};
    BootCheck check = *found.boot_check;
    check.point_id = point;
    return BootChecks(db_).set(check, found.screenshot);
  }

  db::Connection& db_;
  const Machine machine_;
  const Id repository_;
  const bool lacks_commits_;
  const Time now_;
  std::map<std::string, Layer> layers_;  // by file
  std::map<std::string, Disk> disks_;    // by name
  std::map<Id, Id> chains_;              // as their manifests name them, and as the catalog does
  std::set<std::string> seen_;           // files
  Id chain_ = 0;
  Joined joined_;
};

}  // namespace

Result<Joined> join(db::Connection& db, Id machine, Id repository, std::vector<FoundPoint> found,
                    const std::optional<std::set<std::string>>& directories, Time now) {
  HF_TRY(const bool is_captured, Recovered(db).is_captured(machine));
  HF_TRY(Machine its, Machines(db).get(machine));
  if (is_captured) return fail(EBUSY, "machine '{}' is being captured", its.name);
  // Ids grow, whatever the clock says, so nothing comes before what it rests on.
  std::ranges::sort(found, {}, [](const FoundPoint& each) { return each.point.id; });
  Joining joining(db, std::move(its), repository, directories.has_value(), now);
  HF_CHECK(joining.begin());
  for (FoundPoint& each : found) HF_CHECK(joining.add(std::move(each)));
  if (directories) HF_CHECK(joining.let_go(*directories));
  return joining.done();
}

}  // namespace holdfast::rescan
