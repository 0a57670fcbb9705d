#include "engine/retention/strays.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <set>

#include "catalog/base/text.h"
#include "catalog/stores/copies.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/recovered.h"
#include "engine/image/layer_files.h"
#include "engine/repository/definitions.h"
#include "engine/repository/documents.h"
#include "engine/rescan/documents.h"
#include "engine/retention/ground.h"
#include "engine/retention/merging.h"

namespace holdfast::retention {
namespace {

using repository::Place;

constexpr char kMarker[] = "/holdfast.json";

// Entries of a repository's root that are no machine's. A killed daemon may leave them as NAME.new, which the
// next write replaces.
bool is_of_the_root(std::string_view name) {
  static const std::set<std::string_view> kNames{
      "holdfast.json", "INDEX.txt",  "sequence.json",         "aside.json",
      ".lease",        "lost+found", repository::kDefinitions};
  if (name.ends_with(".new")) name.remove_suffix(4);
  return kNames.contains(name);
}

// The id in the name of a file that the verb `test` writes; nullopt for any other name.
std::optional<Id> trial_in(std::string_view name) {
  constexpr std::string_view kTrial = "trial-";
  Id id = 0;
  if (!name.starts_with(kTrial)) return std::nullopt;
  const char* const end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data() + kTrial.size(), end, id);
  return parsed.ec == std::errc{} && parsed.ptr == end ? std::optional{id} : std::nullopt;
}

// Whether the error says what the thing is, rather than that nobody could look at it (law 21).
bool is_an_answer(const Error& error) {
  static const std::set<int> kAnswers{ENOENT, EINVAL, EPROTO, ELOOP, ENOTDIR, EISDIR, ENXIO, EFBIG};
  return error.damage || kAnswers.contains(error.code);
}

// Contents of the catalog about one machine in the repository.
struct Known {
  KnownPoints points;
  std::set<std::string> unfinished;  // directories whose layers the catalog does not have yet
  std::set<std::string> files;       // files of layers, relative to the repository

  bool has(const std::string& name) const { return points.all.contains(name); }
};

Result<Known> ask(db::Connection& db, Id machine, const std::string& key, Id repository, Time now) {
  Known known;
  HF_TRY(known.points, known_points(db, machine, repository, now));
  HF_TRY(const auto points, Points(db).writing());
  for (const Point& point : points)
    if (point.machine_id == machine && point.repository_id == repository) known.unfinished.insert(point.name);
  HF_TRY(const auto copies, Copies(db).writing(machine, repository));
  for (const Copy& copy : copies) {
    HF_TRY(const Point point, Points(db).get(copy.point_id));
    known.unfinished.insert(point.name);
  }
  known.points.all.insert(known.unfinished.begin(), known.unfinished.end());
  HF_TRY(const auto layers, Retention(db).layers(machine, repository));
  for (const Layer& layer : layers) {
    known.points.all.insert(layer.file.substr(0, layer.file.find('/')));
    const auto own = Place::paths_of(key, layer);
    known.files.insert({own.image, own.sums, own.content});
    if (!is_merging(layer)) continue;
    const auto merged = merge_files(key, layer, layer.merging_image_id);
    known.files.insert({merged.image, merged.sums, merged.content});
  }
  return known;
}

Result<std::optional<Id>> machine_of(const capture::Services& services, const std::string& key) {
  return services.catalog.read([&](db::Connection& db) { return Recovered(db).machine_of(key); });
}

constexpr std::string_view kPartial = ".partial";

// The name of the point whose directory that is, before its publication or after.
std::string point_of(std::string directory) {
  if (directory.ends_with(kPartial)) directory.resize(directory.size() - kPartial.size());
  return directory;
}

// Adds what was known earlier. A point counts as committed if it was so both times.
void add_earlier(Known& known, Known earlier) {
  std::erase_if(known.points.committed,
                [&](const std::string& name) { return !earlier.points.committed.contains(name); });
  known.points.all.merge(earlier.points.all);
  known.unfinished.merge(earlier.unfinished);
  known.files.merge(earlier.files);
}

class Search {
 public:
  Search(const capture::Services& services, const Place& place, Id repository, const Watch& watch)
      : services_(services), place_(place), repository_(repository), watch_(watch) {}

  Result<Strays> run() {
    HF_CHECK(place_.check());
    HF_CHECK(place_.asides()->look(directory()));
    for (const repository::Aside& aside : place_.asides()->known()) asides_.insert(aside.path);
    HF_TRY(const auto entries, directory().list("."));
    for (const auto& entry : entries) HF_CHECK(add_of_root(entry));
    HF_CHECK(add_absent_machines());
    HF_CHECK(place_.check());
    return std::move(found_);
  }

 private:
  Directory& directory() const { return place_.directory(); }

  Result<> add(const std::string& path, StrayFate fate, std::string why) {
    HF_TRY(const std::uint64_t bytes, bytes_of(path));
    found_.all.push_back({path, bytes, fate, std::move(why)});
    return {};
  }

  // Room that the entry takes up, with all below it. What is no regular file takes none.
  Result<std::uint64_t> bytes_of(const std::string& path) const {
    const auto entries = directory().list(path);
    if (entries) {
      std::uint64_t bytes = 0;
      for (const auto& entry : *entries) {
        HF_TRY(const std::uint64_t below, bytes_of(path + "/" + entry.name));
        bytes += below;
      }
      return bytes;
    }
    if (!is_an_answer(entries.error())) return tl::make_unexpected(entries.error());
    const auto file = directory().open(path, Access::read);
    if (file) return (*file)->allocated();
    return is_an_answer(file.error()) ? Result<std::uint64_t>(0) : tl::make_unexpected(file.error());
  }

  // Adds what lies aside, and what looks as if it did.
  Result<bool> added_as_aside(const std::string& path) {
    if (asides_.contains(path)) {
      HF_CHECK(add(path, StrayFate::aside, "it was set aside"));
      return true;
    }
    if (!repository::may_lie_aside(path)) return false;
    HF_CHECK(add(path, StrayFate::garbage, "its name ends in .aside, but aside.json does not have it"));
    return true;
  }

  Result<> add_of_root(const Directory::Entry& entry) {
    const std::string& name = entry.name;
    if (is_of_the_root(name)) return {};
    HF_CHECK(watch_());
    HF_TRY(const bool lies_aside, added_as_aside(name));
    if (lies_aside) return {};
    if (!entry.is_directory) return add_file_of_root(name);
    HF_TRY(const bool is_repository, directory().exists(name + kMarker));
    if (is_repository) return add(name, StrayFate::stays, "it is a repository of its own");
    if (!check_name(name)) return add(name, StrayFate::garbage, "it is no directory of a machine");
    return add_machine(name);
  }

  Result<> add_file_of_root(const std::string& name) {
    const auto trial = trial_in(name);
    if (trial && *trial > services_.life) return {};  // a `test` may be at work
    HF_TRY(const auto machine, machine_of(services_, name));
    if (machine) return add(name, StrayFate::stays, "the directory of a machine should be here");
    return add(name, StrayFate::garbage, trial ? "a `test` has left it" : "Holdfast has no such file here");
  }

  Result<Known> known_of(const std::string& key, std::optional<Id> machine) const {
    if (!machine) return Known{};
    return services_.catalog.read(
        [&](db::Connection& db) { return ask(db, *machine, key, repository_, services_.clock.now()); });
  }

  Result<> add_machine(const std::string& key) {
    HF_TRY(const auto machine, machine_of(services_, key));
    HF_TRY(Known earlier, known_of(key, machine));
    const auto entries = directory().list(key);
    if (!entries && entries.error().code == ENOENT) return {};
    HF_CHECK(entries);
    HF_TRY(Known known, known_of(key, machine));
    add_earlier(known, std::move(earlier));
    seen_.insert(key);
    note_missing(key, known, *entries);

    const auto begin = static_cast<std::ptrdiff_t>(found_.all.size());
    for (const auto& entry : *entries) HF_CHECK(add_of_machine(key, entry, known));
    const auto its_own = std::ranges::subrange(found_.all.begin() + begin, found_.all.end());
    if (!machine &&
        std::ranges::all_of(its_own, [](const Stray& stray) { return stray.fate == StrayFate::garbage; })) {
      found_.all.erase(its_own.begin(), its_own.end());
      return add(key, StrayFate::garbage, "the catalog has no such machine, and it holds no point");
    }
    return spare_what_others_rest_on(key, *entries, begin);
  }

  void note_missing(const std::string& key, const Known& known, std::span<const Directory::Entry> entries) {
    for (const std::string& name : known.points.committed)
      if (std::ranges::find(entries, name, &Directory::Entry::name) == entries.end())
        found_.missing.push_back(key + "/" + name);
  }

  // Machines without a directory, which may have points all the same.
  Result<> add_absent_machines() {
    return services_.catalog.read([&](db::Connection& db) -> Result<> {
      HF_TRY(const auto machines, Machines(db).list());
      for (const Named& named : machines) {
        HF_TRY(const Machine machine, Machines(db).get(named.id));
        if (seen_.contains(machine.key)) continue;
        HF_TRY(const auto known, known_points(db, machine.id, repository_, services_.clock.now()));
        for (const std::string& name : known.committed) found_.missing.push_back(machine.key + "/" + name);
      }
      return {};
    });
  }

  Result<> add_of_machine(const std::string& key, const Directory::Entry& entry, const Known& known) {
    const std::string path = key + "/" + entry.name;
    HF_CHECK(watch_());
    HF_TRY(const bool lies_aside, added_as_aside(path));
    if (lies_aside) return {};
    if (!entry.is_directory && known.has(entry.name))
      return add(path, StrayFate::stays, "the directory of a point should be here");
    if (!entry.is_directory) return add(path, StrayFate::garbage, "Holdfast has no such file here");
    if (known.unfinished.contains(entry.name)) return {};
    if (known.has(entry.name)) return add_of_point(path, known);
    if (known.has(point_of(entry.name))) return {};
    if (entry.name.ends_with(kPartial))
      return add(path, StrayFate::garbage, "it is an unfinished point of no job");
    HF_TRY(const bool is_repository, directory().exists(path + kMarker));
    if (is_repository) return add(path, StrayFate::stays, "it is a repository of its own");
    return add_unknown(path, key, entry.name);
  }

  // A directory that says it is a point stays, whether it can be used or not.
  Result<> add_unknown(const std::string& path, const std::string& key, const std::string& name) {
    const auto point = rescan::read_point(directory(), key, name);
    if (point) return add(path, StrayFate::stays, "the catalog lacks this point; `rescan` adds it");
    if (!is_an_answer(point.error())) return tl::make_unexpected(point.error());
    for (const char* file : {"/manifest.json", "/retired.json"}) {
      HF_TRY(const bool claims, directory().exists(path + file));
      if (claims)
        return add(path, StrayFate::stays,
                   "the catalog lacks this point, which can't be used: " + point.error().message);
    }
    return add(path, StrayFate::garbage, "it has no manifest, so it is no point");
  }

  Result<> add_of_point(const std::string& path, const Known& known) {
    const auto entries = directory().list(path);
    if (!entries && entries.error().code == ENOENT) return {};
    HF_CHECK(entries);
    HF_CHECK(watch_());
    std::optional<std::set<std::string>> ids;  // ids of the images that lie here
    for (const auto& entry : *entries) {
      const std::string file = path + "/" + entry.name;
      HF_TRY(const bool lies_aside, added_as_aside(file));
      if (lies_aside || known.files.contains(file) || is_document_or_new(entry.name)) continue;
      if (entry.name.ends_with(".sums") || entry.name.ends_with(".content")) {
        if (!ids) {
          HF_TRY(ids, ids_in(path, *entries));
        }
        // The catalog may not know yet that a merged image has taken its place.
        if (ids->contains(entry.name.substr(0, entry.name.rfind('.')))) continue;
        HF_CHECK(add(file, StrayFate::garbage, "no layer has these checksums"));
      } else {
        HF_CHECK(add(file, StrayFate::garbage, "its point has no such file"));
      }
    }
    return {};
  }

  static bool is_document_or_new(std::string_view name) {
    if (name.ends_with(".new")) name.remove_suffix(4);
    return repository::is_document(name);
  }

  // Calls `with` for each image whose header can be read.
  Result<> inspect_images(const std::string& path, std::span<const Directory::Entry> entries,
                          const std::function<void(const image::ImageFacts&)>& with) const {
    for (const auto& entry : entries) {
      if (!entry.name.ends_with(".qcow2")) continue;
      const auto facts =
          directory().open(path + "/" + entry.name, Access::read).and_then([](const auto& file) {
            return image::inspect(*file);
          });
      if (facts)
        with(*facts);
      else if (!is_an_answer(facts.error()))
        return tl::make_unexpected(facts.error());
    }
    return {};
  }

  Result<std::set<std::string>> ids_in(const std::string& path,
                                       std::span<const Directory::Entry> entries) const {
    std::set<std::string> ids;
    HF_CHECK(inspect_images(path, entries, [&](const auto& facts) { ids.insert(facts.image_id); }));
    return ids;
  }

  // Names of the machine's directories whose images others rest on.
  Result<std::set<std::string>> relied_on(const std::string& key,
                                          std::span<const Directory::Entry> entries) const {
    constexpr std::string_view kBeside = "../";
    std::set<std::string> names;
    for (const auto& entry : entries) {
      if (!entry.is_directory) continue;
      const std::string path = key + "/" + entry.name;
      const auto files = directory().list(path);
      if (!files && files.error().code == ENOENT) continue;
      HF_CHECK(files);
      HF_CHECK(inspect_images(path, *files, [&](const auto& facts) {
        const std::string& backing = facts.backing_file;
        if (!backing.starts_with(kBeside)) return;
        const std::string name =
            backing.substr(kBeside.size(), backing.find('/', kBeside.size()) - kBeside.size());
        if (name != entry.name) names.insert(name);
      }));
    }
    return names;
  }

  // A directory with an image that others rest on keeps its name, whatever it lacks itself.
  Result<> spare_what_others_rest_on(const std::string& key, std::span<const Directory::Entry> entries,
                                     std::ptrdiff_t begin) {
    const auto is_directory = [&](const Stray& stray) {
      return stray.fate == StrayFate::garbage && std::ranges::count(stray.path, '/') == 1;
    };
    const auto its_own = std::span{found_.all}.subspan(static_cast<std::size_t>(begin));
    if (std::ranges::none_of(its_own, is_directory)) return {};
    HF_TRY(const auto names, relied_on(key, entries));
    for (Stray& stray : its_own) {
      if (!is_directory(stray) || !names.contains(stray.path.substr(key.size() + 1))) continue;
      stray.fate = StrayFate::stays;
      stray.why += ", but images of other points rest on its own";
    }
    return {};
  }

  const capture::Services& services_;
  const Place& place_;
  const Id repository_;
  const Watch& watch_;
  std::set<std::string> asides_;
  std::set<std::string> seen_;  // keys of machines
  Strays found_;
};

}  // namespace

Result<Strays> find_strays(const capture::Services& services, const Place& place, Id repository,
                           const Watch& watch) {
  return Search(services, place, repository, watch).run();
}

Result<bool> belongs_by_now(const capture::Services& services, Id repository, const std::string& path) {
  const auto slash = path.find('/');
  const std::string key = path.substr(0, slash);
  HF_TRY(const auto machine, machine_of(services, key));
  if (!machine) return false;
  if (slash == path.npos) return true;
  HF_TRY(const Known known, services.catalog.read([&](db::Connection& db) {
    return ask(db, *machine, key, repository, services.clock.now());
  }));
  const auto second = path.find('/', slash + 1);
  const std::string directory = path.substr(slash + 1, second == path.npos ? second : second - slash - 1);
  if (second == path.npos) return known.has(point_of(directory));
  return known.files.contains(path) || known.unfinished.contains(directory);
}

std::string shown_path(const std::string& path) {
  const bool is_plain = is_utf8(path) && std::ranges::none_of(path, [](char c) {
                          return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
                        });
  return is_plain ? path : fmt::format("{:?}", path);
}

}  // namespace holdfast::retention
