#include "engine/retention/ground.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>

#include "catalog/stores/points.h"

namespace holdfast::retention {
namespace {

std::set<Id> needed(const std::vector<Retention::StoredLayer>& layers) {
  std::map<Id, const Retention::StoredLayer*> by_id;
  for (const auto& layer : layers) by_id[layer.id] = &layer;
  std::set<Id> found;
  for (const auto& layer : layers) {
    if (!layer.shown) continue;
    for (std::optional<Id> at = layer.id; at && found.insert(*at).second;) {
      const auto below = by_id.find(*at);
      at = below == by_id.end() ? std::nullopt : below->second->parent_layer_id;
    }
  }
  return found;
}

}  // namespace

std::vector<Tower> towers_of(const std::vector<Retention::StoredLayer>& layers) {
  const std::set<Id> kept = needed(layers);
  std::map<Id, const Retention::StoredLayer*> by_id;
  std::set<Id> below;
  for (const auto& layer : layers) {
    if (!kept.contains(layer.id)) continue;
    by_id[layer.id] = &layer;
    if (layer.parent_layer_id) below.insert(*layer.parent_layer_id);
  }
  std::vector<Tower> towers;
  for (const auto& [id, layer] : by_id) {
    if (below.contains(id)) continue;
    Tower tower;
    for (std::optional<Id> at = id; at; at = by_id.at(*at)->parent_layer_id) tower.push_back(*by_id.at(*at));
    towers.push_back(std::move(tower));
  }
  return towers;
}

Id Hidden::seen_by() const {
  std::uint64_t sum = 0;  // one viewer gives its id; the sum of several serves as a name
  for (const Tower& viewer : viewers) sum += static_cast<std::uint64_t>(viewer.front().id);
  return static_cast<Id>(sum & INT64_MAX);
}

std::vector<Hidden> hidden_in(const std::vector<Tower>& towers) {
  std::map<Id, Hidden> found;
  for (const Tower& tower : towers) {
    auto viewer = tower.begin();
    for (auto layer = tower.begin(); layer != tower.end(); ++layer) {
      if (layer->shown) {
        viewer = layer;
        continue;
      }
      Hidden& hidden = found[layer->id];
      hidden.layer = *layer;
      const auto is_viewer = [&](const Tower& known) { return known.front().id == viewer->id; };
      if (std::ranges::none_of(hidden.viewers, is_viewer)) hidden.viewers.emplace_back(viewer, tower.end());
    }
  }
  std::vector<Hidden> all;
  for (auto& [id, hidden] : found) all.push_back(std::move(hidden));
  return all;
}

std::vector<Retention::StoredLayer> unneeded(const std::vector<Retention::StoredLayer>& layers) {
  const std::set<Id> kept = needed(layers);
  std::vector<Retention::StoredLayer> rest;
  for (const auto& layer : layers)
    if (!kept.contains(layer.id)) rest.push_back(layer);
  std::ranges::reverse(rest);
  return rest;
}

Result<KnownPoints> known_points(db::Connection& db, Id machine, Id repository, Time now) {
  KnownPoints known;
  HF_TRY(const auto points, Retention(db).points(machine, now));
  for (const auto& point : points)  // copies included
    if (point.repository_id == repository) known.committed.insert(point.name);
  HF_TRY(const auto retired, Retention(db).retired(machine, repository));
  HF_TRY(const auto copies, Retention(db).copies(machine, repository));
  known.all = known.committed;
  known.all.insert(copies.begin(), copies.end());
  for (const auto& gone : retired) known.all.insert(gone.name);
  HF_TRY(const auto writing, Points(db).writing());  // a point is published just before it is committed
  for (const Point& point : writing)
    if (point.machine_id == machine && point.repository_id == repository) known.all.insert(point.name);
  return known;
}

Result<std::uint64_t> stored_bytes(const Ground& ground, const Layer& layer) {
  const auto paths = repository::Place::paths_of(ground.key, layer);
  std::uint64_t bytes = 0;
  for (const std::string& path : {paths.image, paths.sums, paths.content}) {
    const auto file = ground.directory().open(path, Access::read);
    if (!file && file.error().code == ENOENT) continue;
    if (!file) return tl::make_unexpected(file.error());
    HF_TRY(const std::uint64_t allocated, (*file)->allocated());
    bytes += allocated;
  }
  return bytes;
}

Result<> remove_if_there(Directory& directory, const std::string& path) {
  const auto removed = directory.remove(path);
  if (removed || removed.error().code == ENOENT) return {};
  return removed;
}

}  // namespace holdfast::retention
