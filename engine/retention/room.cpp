#include "engine/retention/room.h"

#include <algorithm>
#include <map>
#include <set>

#include "engine/image/host_ranges.h"
#include "engine/repository/readers.h"

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

// Name of the directory that the layer lies in, which is the point's name.
std::string point_of(const Layer& layer) { return layer.file.substr(0, layer.file.find('/')); }

Result<> remove_directory(const Ground& ground, const std::string& point) {
  HF_CHECK(remove_tree(ground.directory(), ground.key + "/" + point));
  return ground.directory().sync(ground.key);
}

Result<> forget(Retention& store, const Retention::Gone& gone) {
  return gone.is_copy ? store.forget_copy(gone.id) : store.forget(gone.id);
}

// Removes a retired point that has no layers left.
Result<> remove_bare(const Ground& ground, const Retention::Gone& gone) {
  HF_CHECK(remove_directory(ground, gone.name));
  return ground.write([&](Retention store) { return forget(store, gone); });
}

// Returns the names of the machine's directories in the repository that claim to be points.
Result<std::set<std::string>> points_there(const Ground& ground) {
  std::set<std::string> found;
  HF_TRY(const auto entries, ground.directory().list(ground.key));
  for (const auto& entry : entries) {
    if (!entry.is_directory || entry.name.ends_with(".partial") || entry.name.ends_with(".aside")) continue;
    HF_TRY(const bool is_point, ground.directory().exists(ground.key + "/" + entry.name + "/manifest.json"));
    if (is_point) found.insert(entry.name);
  }
  return found;
}

// Opened stacks by their top layer. Each serves all layers seen through it; only a few stay open at a time.
using Opened = std::map<Id, std::shared_ptr<const image::Stack>>;
constexpr std::size_t kMostOpened = 4;

Result<bool> somebody_reads(const Ground& ground) {
  const Time now = ground.services.clock.now();
  HF_TRY(const auto points, ground.services.catalog.read([&](db::Connection& db) {
    return Retention(db).points(ground.machine, now);
  }));
  return std::ranges::any_of(points, [&](const Retention::Kept& point) {
    return ground.services.readers.use(point.id, now) == repository::Readers::Use::open;
  });
}

Result<image::LayerUse> use_of(const Ground& ground, const Hidden& hidden, const Tower& viewer,
                               Opened& opened) {
  auto& stack = opened[viewer.front().id];
  if (!stack) {
    HF_TRY(stack, ground.place->open_stack(ground.key, {viewer.begin(), viewer.end()}));
  }
  const auto its = std::ranges::find(viewer, hidden.layer.id, &Layer::id);
  return image::LayerUse{stack, static_cast<std::size_t>(its - viewer.begin())};
}

// Returns false if the file system can't punch holes.
Result<bool> punch_one(const Ground& ground, const Hidden& hidden, Opened& opened) {
  std::vector<image::LayerUse> uses;
  for (const Tower& viewer : hidden.viewers) {
    HF_TRY(uses.emplace_back(), use_of(ground, hidden, viewer, opened));
  }
  HF_TRY(const auto ranges, image::hidden_data(uses));
  HF_TRY(const auto image,
         ground.directory().open(Place::paths_of(ground.key, hidden.layer).image, Access::write));
  HF_TRY(const std::uint64_t before, image->allocated());
  const auto punched = image::punch(*image, ranges);
  if (!punched && punched.error().code == EOPNOTSUPP) return false;
  HF_CHECK(punched);
  HF_TRY(const std::uint64_t after, image->allocated());
  ground.outcome.bytes_freed += before - std::min(before, after);
  return true;
}

Result<> record_punched(const Ground& ground, const Hidden& hidden) {
  HF_TRY(const std::uint64_t stored, stored_bytes(ground, hidden.layer));
  return ground.write([&](Retention store) -> Result<> {
    HF_CHECK(store.set_stored(hidden.layer.id, stored, ground.services.clock.now()));
    return store.set_punched(hidden.layer.id, hidden.seen_by());
  });
}

}  // namespace

Result<> check_listing(const Ground& ground) {
  HF_CHECK(ground.place->check());
  HF_TRY(const auto known, ground.services.catalog.read([&](db::Connection& db) {
    return known_points(db, ground.machine, ground.repository, ground.services.clock.now());
  }));
  HF_TRY(const auto there, points_there(ground));
  for (const std::string& name : known.committed)
    if (!there.contains(name))
      return fail(EIO, "{} has no point {}/{}, but the catalog lists it: nothing is deleted there",
                  ground.place->path(), ground.key, name);
  for (const std::string& name : there)
    if (!known.all.contains(name))
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

Result<std::string> lies_aside(const Ground& ground) {
  HF_CHECK(ground.place->asides()->look(ground.directory()));
  for (const repository::Aside& aside : ground.place->asides()->known())
    if (aside.path.starts_with(ground.key + "/"))
      return fmt::format(
          "{}/{} may rest on other files of its machine, so none of them goes from repository '{}' until a "
          "person has deleted it",
          ground.place->path(), aside.path, ground.name);
  return "";
}

Result<> mark_retired(const Ground& ground) {
  HF_TRY(const auto retired, ground.services.catalog.read([&](db::Connection& db) {
    return Retention(db).retired(ground.machine, ground.repository);
  }));
  for (const auto& gone : retired) {
    const std::string path = ground.key + "/" + gone.name;
    HF_TRY(const bool is_marked_as_point, ground.directory().exists(path + "/manifest.json"));
    if (!is_marked_as_point) continue;
    for (const char* file : {"/RESTORE.txt", "/facts.json", "/screenshot.png"})
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
  std::map<std::string, std::size_t> left;  // by the directory of the point
  for (const auto& layer : layers) ++left[point_of(layer)];
  for (const auto& gone : retired)
    if (!left.contains(gone.name)) HF_CHECK(remove_bare(ground, gone));
  for (const auto& layer : unneeded(layers)) {
    HF_CHECK(ground.check_cancel());
    HF_CHECK(ground.place->check());
    HF_CHECK(remove_files(ground, layer));
    const auto gone = std::ranges::find(retired, point_of(layer), &Retention::Gone::name);
    const bool is_last = --left[point_of(layer)] == 0 && gone != retired.end();
    if (is_last) HF_CHECK(remove_directory(ground, gone->name));
    HF_CHECK(ground.write([&](Retention store) -> Result<> {
      HF_CHECK(store.forget_layer(layer.id, ground.services.clock.now()));
      return is_last ? forget(store, *gone) : Result<>{};
    }));
    ++ground.outcome.layers_removed;
  }
  return {};
}

bool is_punched(const Hidden& hidden) { return hidden.layer.punched_under == hidden.seen_by(); }

Result<> punch_hidden(const Ground& ground) {
  HF_TRY(const auto layers, ground.layers());
  HF_TRY(const bool is_open, somebody_reads(ground));
  auto all = hidden_in(towers_of(layers));
  std::ranges::stable_sort(all, {}, [](const Hidden& hidden) { return hidden.layer.disk_id; });
  Opened opened;
  bool has_holes = true;  // until the file system says otherwise
  for (const Hidden& hidden : all) {
    HF_CHECK(ground.check_cancel());
    // A reader may have opened the image before a merge, and may still see data that is hidden from today's
    // viewers.
    const bool may_be_seen = is_open && hidden.layer.punched_under != 0;
    if (is_punched(hidden) || may_be_seen) continue;
    if (opened.size() >= kMostOpened) opened.clear();
    if (has_holes) {
      HF_TRY(has_holes, punch_one(ground, hidden, opened));
    }
    HF_CHECK(record_punched(ground, hidden));
  }
  return {};
}

}  // namespace holdfast::retention
