#include "engine/repair/twins.h"

#include <algorithm>

#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/retention.h"
#include "engine/repository/shelf.h"

namespace holdfast::repair {
namespace {

using repository::Place;

// Layers of the damaged one's disk in one repository.
struct OfDisk {
  Repository repository;
  std::vector<Layer> layers;
};

Result<std::vector<OfDisk>> find_layers(db::Connection& db, const verify::DamagedLayer& damaged) {
  std::vector<OfDisk> all;
  const Layer& own = damaged.stored.layer;
  HF_TRY(const auto repositories, Points(db).repositories_of(damaged.machine));
  for (const Id id : repositories) {
    OfDisk found;
    HF_TRY(found.repository, Repositories(db).get(id));
    HF_TRY(const auto layers, Retention(db).layers(damaged.machine, id));
    for (const Layer& layer : layers)
      if (layer.disk_id == own.disk_id && layer.id != own.id) found.layers.push_back(layer);
    all.push_back(std::move(found));
  }
  return all;
}

bool is_image(const Directory& directory, const std::string& path, const std::string& image_id) {
  const auto image = directory.open(path, Access::read);
  if (!image) return false;
  const auto facts = image::inspect(**image);
  return facts && facts->image_id == image_id;
}

// Images of this id that lie under another name in the machine's directory.
Result<std::vector<Place::LayerPaths>> find_strays(const Directory& directory,
                                                   const verify::StoredLayer& stored) {
  const std::string own = Place::paths_of(stored.machine_key, stored.layer).image;
  std::vector<Place::LayerPaths> strays;
  HF_TRY(const bool is_there, directory.exists(stored.machine_key));
  if (!is_there) return strays;
  HF_TRY(const auto points, directory.list(stored.machine_key));
  for (const auto& point : points) {
    if (!point.is_directory) continue;
    HF_TRY(const auto files, directory.list(stored.machine_key + "/" + point.name));
    for (const auto& file : files) {
      Layer stray = stored.layer;
      stray.file = point.name + "/" + file.name;
      const auto paths = Place::paths_of(stored.machine_key, stray);
      if (file.is_directory || paths.image == own) continue;
      if (is_image(directory, paths.image, stray.image_id)) strays.push_back(paths);
    }
  }
  return strays;
}

}  // namespace

Result<Twins> find_twins(const capture::Services& services, const std::shared_ptr<Place>& place,
                         const verify::DamagedLayer& damaged) {
  Twins twins;
  HF_TRY(const auto all, services.catalog.read([&](db::Connection& db) { return find_layers(db, damaged); }));
  for (const OfDisk& one : all) {
    if (one.layers.empty()) continue;
    const auto its = services.shelf.place(one.repository);
    if (!its) twins.away.push_back(its.error().message);
    if (!its) continue;
    for (const Layer& layer : one.layers) {
      auto& same = layer.image_id == damaged.stored.layer.image_id ? twins.found : twins.donors;
      same.push_back({*its, Place::paths_of(damaged.stored.machine_key, layer)});
    }
  }
  HF_TRY(auto strays, find_strays(place->directory(), damaged.stored));
  for (auto& paths : strays) twins.found.push_back({place, std::move(paths)});
  return twins;
}

}  // namespace holdfast::repair
