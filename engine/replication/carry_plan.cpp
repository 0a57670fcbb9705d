#include "engine/replication/carry_plan.h"

#include <algorithm>

#include "catalog/stores/points.h"

namespace holdfast::replication {

namespace {

// Maps the layers of a point at the origin to those of its undamaged copy at the target.
Result<> add_bases(db::Connection& db, const Copies::Holding& here, const Copies::Holding& there,
                   std::map<Id, Base>& bases) {
  if (there.damaged) return {};
  Points points(db);
  HF_TRY(const Point point, points.get(here.point));
  for (const auto& disk : here.disks) {
    const auto same = std::ranges::find(there.disks, disk.disk, &Copies::Holding::Disk::disk);
    if (same == there.disks.end()) continue;
    HF_TRY(Layer layer, points.layer(same->layer));
    bases[disk.layer] = {point.name, std::move(layer)};
  }
  return {};
}

}  // namespace

Result<Sides> look_at_both(db::Connection& db, Id machine, Id from, Id to) {
  Copies copies(db);
  Sides sides;
  HF_TRY(const auto here, copies.held(machine, from));
  HF_TRY(const auto gone_here, copies.going(machine, from));
  HF_TRY(const auto there, copies.held(machine, to));
  HF_TRY(const auto gone_there, copies.going(machine, to));
  HF_TRY(sides.writing, copies.writing(machine, to));
  std::map<Id, const Copies::Holding*> held;
  for (const Copies::Holding& point : there) held[point.point] = &point;
  for (const Copies::Holding& point : here) {
    if (const auto its = held.find(point.point); its != held.end())
      HF_CHECK(add_bases(db, point, *its->second, sides.bases));
    else if (std::ranges::find(gone_there, point.point, &Copies::Holding::point) == gone_there.end())
      sides.lacking.push_back(point);
  }
  for (const Copies::Holding& point : gone_here)
    if (const auto its = held.find(point.point); its != held.end())
      HF_CHECK(add_bases(db, point, *its->second, sides.bases));
  return sides;
}

Result<Carry> plan_carry(db::Connection& db, const Copies::Holding& point, const std::map<Id, Base>& bases,
                         const std::set<Id>& usable) {
  Points points(db);
  Carry carry;
  HF_TRY(carry.point, points.get(point.point));
  std::optional<Id> chain;  // all layers of a copy lie in one chain
  for (const auto& disk : point.disks) {
    Part& part = carry.parts.emplace_back();
    part.sums_sha256 = disk.sums_sha256;
    part.disk = *std::ranges::find(carry.point.disks, disk.disk, &PointDisk::disk_id);
    part.disk.bytes_stored = disk.bytes_stored;
    HF_TRY(part.layers, points.stack(disk.layer));
    const auto is_usable = [&](const Layer& layer) {
      const auto its = bases.find(layer.id);
      const bool is_elsewhere = chain && its != bases.end() && its->second.layer.chain_id != *chain;
      return usable.contains(layer.id) && !is_elsewhere;
    };
    const auto base = std::find_if(part.layers.begin() + 1, part.layers.end(), is_usable);
    if (base == part.layers.end()) continue;
    if (const auto its = bases.find(base->id); its != bases.end()) {
      part.base = its->second;
      chain = its->second.layer.chain_id;
    }
    part.layers.erase(base, part.layers.end());
  }
  return carry;
}

}  // namespace holdfast::replication
