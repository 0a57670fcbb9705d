#include "engine/repair/twins.h"

#include <algorithm>

#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/retention.h"
#include "engine/repository/shelf.h"

namespace holdfast::repair {
namespace {

using repository::Place;

struct Elsewhere {
  Repository repository;
  Layer layer;
};

Result<std::vector<Elsewhere>> find_elsewhere(db::Connection& db, const verify::DamagedLayer& damaged) {
  std::vector<Elsewhere> all;
  HF_TRY(const auto repositories, Points(db).repositories_of(damaged.machine));
  for (const Id id : repositories) {
    if (id == damaged.repository) continue;
    HF_TRY(const auto layers, Retention(db).layers(damaged.machine, id));
    const auto its = std::ranges::find(layers, damaged.stored.layer.image_id, &Layer::image_id);
    if (its == layers.end()) continue;
    HF_TRY(Repository repository, Repositories(db).get(id));
    all.push_back({std::move(repository), *its});
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
  HF_TRY(const auto elsewhere,
         services.catalog.read([&](db::Connection& db) { return find_elsewhere(db, damaged); }));
  for (const Elsewhere& one : elsewhere) {
    const auto its = services.shelf.place(one.repository);
    if (its)
      twins.found.push_back({*its, Place::paths_of(damaged.stored.machine_key, one.layer)});
    else
      twins.away.push_back(its.error().message);
  }
  HF_TRY(auto strays, find_strays(place->directory(), damaged.stored));
  for (auto& paths : strays) twins.found.push_back({place, std::move(paths)});
  return twins;
}

}  // namespace holdfast::repair
