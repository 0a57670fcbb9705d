#include "engine/retention/room.h"

#include <algorithm>
#include <map>
#include <set>

#include "catalog/stores/points.h"
#include "engine/image/host_ranges.h"

namespace holdfast::retention {
namespace {

using repository::Place;

Result<> remove_files(const Ground& ground, const Layer& layer) {
  const auto paths = Place::paths_of(ground.key, layer);
  HF_TRY(const std::uint64_t bytes, stored_bytes(ground, layer));
  for (const std::string& path : {paths.image, paths.sums, paths.content})
    HF_CHECK(remove_if_there(ground.directory(), path));
  ground.outcome.bytes_freed += bytes;
  return {};
}

std::string directory_of(const Layer& layer) { return layer.file.substr(0, layer.file.find('/')); }

Result<> remove_directory(const Ground& ground, const std::string& point) {
  HF_CHECK(remove_tree(ground.directory(), ground.key + "/" + point));
  return ground.directory().sync(ground.key);
}

Result<> forget(Retention& store, const Retention::Gone& gone) {
  return gone.is_copy ? store.forget_copy(gone.id) : store.forget(gone.id);
}

// None of its layers is there any more.
Result<> remove_bare(const Ground& ground, const Retention::Gone& gone) {
  HF_CHECK(remove_directory(ground, gone.name));
  return ground.write([&](Retention store) { return forget(store, gone); });
}

// What lies there under the machine's key: directories, and whether each says that it is a point.
Result<std::set<std::string>> points_there(const Ground& ground) {
  std::set<std::string> found;
  HF_TRY(const auto entries, ground.directory().list(ground.key));
  for (const auto& entry : entries) {
    if (!entry.is_directory || entry.name.ends_with(".partial")) continue;
    HF_TRY(const bool is_point, ground.directory().exists(ground.key + "/" + entry.name + "/manifest.json"));
    if (is_point) found.insert(entry.name);
  }
  return found;
}

// Layers of retired points that lie together, with the tower that sees them: a stack is opened once for them.
Result<> punch_below(const Ground& ground, const Tower& tower, std::size_t viewer, std::size_t end) {
  std::vector<std::size_t> stale;
  for (std::size_t i = viewer + 1; i < end; ++i)
    if (tower[i].punched_under != tower[viewer].id) stale.push_back(i);
  if (stale.empty()) return {};
  const std::vector<Layer> layers(tower.begin() + static_cast<std::ptrdiff_t>(viewer), tower.end());
  HF_TRY(const auto stack, ground.place->open_stack(ground.key, layers));
  for (const std::size_t i : stale) {
    HF_CHECK(ground.check_cancel());
    const image::LayerUse use{stack, i - viewer};
    HF_TRY(const auto hidden, image::hidden_data(std::span{&use, 1}));
    HF_TRY(const auto image,
           ground.directory().open(Place::paths_of(ground.key, tower[i]).image, Access::write));
    HF_TRY(const std::uint64_t before, image->allocated());
    HF_CHECK(image::punch(*image, hidden));
    HF_TRY(const std::uint64_t after, image->allocated());
    ground.outcome.bytes_freed += before - std::min(before, after);
    HF_TRY(const std::uint64_t stored, stored_bytes(ground, tower[i]));
    HF_CHECK(ground.write([&](Retention store) -> Result<> {
      HF_CHECK(store.set_stored(tower[i].id, stored, ground.services.clock.now()));
      return store.set_punched(tower[i].id, tower[viewer].id);
    }));
  }
  return {};
}

}  // namespace

Result<> check_listing(const Ground& ground) {
  HF_CHECK(ground.place->check());
  std::set<std::string> known;
  std::set<std::string> committed;
  HF_CHECK(ground.services.catalog.read([&](db::Connection& db) -> Result<> {
    HF_TRY(const auto points, Retention(db).points(ground.machine, ground.services.clock.now()));
    for (const auto& point : points)  // and copies
      if (point.repository_id == ground.repository) committed.insert(point.name);
    HF_TRY(const auto retired, Retention(db).retired(ground.machine, ground.repository));
    HF_TRY(const auto copies, Retention(db).copies(ground.machine, ground.repository));
    known = committed;
    known.insert(copies.begin(), copies.end());
    for (const auto& gone : retired) known.insert(gone.name);
    return {};
  }));
  HF_TRY(const auto there, points_there(ground));
  for (const std::string& name : committed)
    if (!there.contains(name))
      return fail(EIO, "{} has no point {}/{}, but the catalog has: nothing is deleted there",
                  ground.place->path(), ground.key, name);
  for (const std::string& name : there)
    if (!known.contains(name))
      return fail(EIO, "{} has a point {}/{} that the catalog doesn't know: nothing is deleted there",
                  ground.place->path(), ground.key, name);
  HF_TRY(const auto layers, ground.layers());
  for (const Tower& tower : towers_of(layers))
    for (const auto& layer : tower) {
      const std::string path = Place::paths_of(ground.key, layer).image;
      HF_TRY(const bool is_there, ground.directory().exists(path));
      if (!is_there)
        return fail(EIO, "{}/{} is missing: nothing is deleted there", ground.place->path(), path);
    }
  return {};
}

Result<> mark_retired(const Ground& ground) {
  HF_TRY(const auto retired, ground.services.catalog.read([&](db::Connection& db) {
    return Retention(db).retired(ground.machine, ground.repository);
  }));
  for (const auto& gone : retired) {
    const std::string path = ground.key + "/" + gone.name;
    HF_TRY(const bool is_marked_as_point, ground.directory().exists(path + "/manifest.json"));
    if (!is_marked_as_point) continue;
    for (const char* file : {"/RESTORE.txt", "/facts.json", "/machine.xml", "/nvram"})
      HF_CHECK(remove_if_there(ground.directory(), path + file));
    HF_CHECK(ground.directory().rename(path + "/manifest.json", path + "/retired.json"));
    HF_CHECK(ground.directory().sync(path));
  }
  return {};
}

Result<> remove_unneeded(const Ground& ground) {
  HF_TRY(auto layers, ground.layers());
  HF_TRY(const auto retired, ground.services.catalog.read([&](db::Connection& db) {
    return Retention(db).retired(ground.machine, ground.repository);
  }));
  std::map<std::string, std::size_t> left;  // by the point's directory
  for (const auto& layer : layers) ++left[directory_of(layer)];
  for (const auto& gone : retired)
    if (!left.contains(gone.name)) HF_CHECK(remove_bare(ground, gone));
  for (const auto& layer : unneeded(layers)) {
    HF_CHECK(ground.check_cancel());
    HF_CHECK(ground.place->check());
    HF_CHECK(remove_files(ground, layer));
    const auto gone = std::ranges::find(retired, directory_of(layer), &Retention::Gone::name);
    const bool is_last = --left[directory_of(layer)] == 0 && gone != retired.end();
    if (is_last) HF_CHECK(remove_directory(ground, gone->name));
    HF_CHECK(ground.write([&](Retention store) -> Result<> {
      HF_CHECK(store.forget_layer(layer.id, ground.services.clock.now()));
      return is_last ? forget(store, *gone) : Result<>{};
    }));
    ++ground.outcome.layers_removed;
  }
  return {};
}

bool is_punched(const Tower& tower) {
  for (std::size_t i = 0, viewer = 0; i < tower.size(); ++i) {
    if (tower[i].shown) viewer = i;
    if (!tower[i].shown && tower[i].punched_under != tower[viewer].id) return false;
  }
  return true;
}

Result<> punch_hidden(const Ground& ground) {
  HF_TRY(const auto layers, ground.layers());
  for (const Tower& tower : towers_of(layers))
    for (std::size_t viewer = 0; viewer < tower.size();) {
      std::size_t end = viewer + 1;
      while (end < tower.size() && !tower[end].shown) ++end;
      HF_CHECK(punch_below(ground, tower, viewer, end));
      viewer = end;
    }
  return {};
}

}  // namespace holdfast::retention
