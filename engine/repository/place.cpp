#include "engine/repository/place.h"

#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "catalog/base/clock.h"
#include "catalog/base/id.h"
#include "catalog/base/log.h"
#include "catalog/base/sha256.h"
#include "catalog/model/outside_json.h"
#include "engine/repository/documents.h"
#include "engine/repository/leased_directory.h"

namespace holdfast::repository {
namespace {

constexpr char kMarker[] = "holdfast.json";
constexpr int kFormatVersion = 1;
constexpr std::size_t kBytesOfId = 4;

std::uint64_t reserve_of(const Directory::Space& space, int percent) {
  return space.capacity / 100 * static_cast<std::uint64_t>(percent);
}

std::string marker_text(const std::string& id) {
  const nlohmann::ordered_json marker{{"id", id}, {"format", kFormatVersion}};
  return marker.dump(2) + "\n";
}

bool is_marker_id(std::string_view id) {
  return id.size() == 2 * kBytesOfId && id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<std::string> read_marker(const Directory& directory, const std::string& path) {
  const auto text = read_small_file(directory, kMarker);
  if (!text && text.error().code == ENOENT)
    return fail(EIO, "{} has no {}: it is no repository, or the file system that it lies on is not mounted",
                path, kMarker);
  if (!text) return tl::make_unexpected(text.error());
  return parse_marker(*text, path);
}

Result<std::unique_ptr<Lease>> take_lease(const Directory& directory, const std::string& path,
                                          Taking taking) {
  if (taking == Taking::nothing) return fail(EROFS, "{} was opened to be read only", path);
  return Lease::take(directory, path, taking);
}

Result<> check_marker(const std::string& path, const std::string& found, const std::string& expected) {
  if (found == expected) return {};
  return fail(EIO, "{} is repository {}, not {}: another one is mounted there", path, found, expected);
}

}  // namespace

Result<std::string> parse_marker(const std::string& text, const std::string& path) {
  const auto marker = json::parse_outside(text);
  if (!marker || !marker->is_object() || !marker->value("id", nlohmann::json()).is_string() ||
      !marker->value("format", nlohmann::json()).is_number_unsigned() || marker->at("format") == 0)
    return fail(EIO, "{}/{} is not a repository's marker; it should name an id and a format", path, kMarker);
  if (marker->at("format") > kFormatVersion)
    return fail(EIO, "{} was written by a newer Holdfast (format {}, this one knows {})", path,
                marker->at("format").get<std::uint64_t>(), kFormatVersion);
  auto id = marker->at("id").get<std::string>();
  if (!is_marker_id(id))  // things at sources are named after it
    return fail(EIO, "{}/{} names an id that is not eight hex digits", path, kMarker);
  return id;
}

Result<Place::Marker> Place::initialise(const std::string& path) {
  HF_TRY(const auto directory, open_directory(path));
  HF_TRY(const auto entries, directory->list("."));
  const bool has_marker =
      std::ranges::any_of(entries, [](const auto& entry) { return entry.name == kMarker; });
  if (has_marker) {
    HF_TRY(std::string known, read_marker(*directory, path));
    return Marker{.id = std::move(known)};
  }
  // A new file system has lost+found, and a killed initialise() leaves the other files. Anything else is a
  // user's data.
  static const std::set<std::string> harmless{"lost+found", "INDEX.txt", "INDEX.txt.new",
                                              "holdfast.json.new"};
  for (const auto& entry : entries)
    if (!harmless.contains(entry.name))
      return fail(EINVAL, "{} is neither empty nor a repository (it holds '{}'); name an empty directory",
                  path, entry.name);
  const std::string id = random_hex(kBytesOfId);
  HF_CHECK(replace_file(*directory, "INDEX.txt", index_text()));
  HF_CHECK(replace_file(*directory, kMarker, marker_text(id)));
  return Marker{.id = id, .is_new = true};
}

Result<> Place::undo_initialise(const std::string& path, const Marker& made) {
  if (!made.is_new) return {};
  HF_TRY(const auto directory, open_directory(path));
  HF_TRY(const std::string found, read_marker(*directory, path));
  if (found != made.id) return {};
  HF_CHECK(directory->remove(kMarker));
  return directory->remove("INDEX.txt");
}

Result<std::string> Place::marker_of(const std::string& path) {
  HF_TRY(const auto directory, open_directory(path));
  return read_marker(*directory, path);
}

Result<std::shared_ptr<Place>> Place::open(const std::string& path, const std::string& marker,
                                           Taking taking) {
  HF_TRY(auto directory, open_directory(path));
  HF_TRY(const auto identity, identity_of(path));
  HF_TRY(const std::string found, read_marker(*directory, path));
  HF_CHECK(check_marker(path, found, marker));
  return std::shared_ptr<Place>(new Place(path, marker, std::move(directory), identity, taking));
}

Place::Place(std::string path, std::string marker, std::unique_ptr<Directory> directory, Identity identity,
             Taking taking)
    : path_(std::move(path)),
      marker_(std::move(marker)),
      directory_(std::move(directory)),
      leased_(leased_directory(*directory_, [this] { return may_write(); })),
      identity_(identity),
      taking_(taking),
      lease_(take_lease(*directory_, path_, taking)),
      untold_former_(lease_ ? (*lease_)->former() : std::nullopt) {}

Result<Place::Identity> Place::identity_of(const std::string& path) {
  struct stat it {};
  if (::stat(path.c_str(), &it) != 0) return fail_errno("looking at {}", path);
  return Identity{it.st_dev, it.st_ino};
}

// Points written into a directory that was moved away or mounted over could not be found.
Result<> Place::check() const {
  HF_TRY(const auto now, identity_of(path_));
  if (now != identity_)
    return fail(EIO, "{} is now another directory: the repository was moved, or something is mounted over it",
                path_);
  HF_TRY(const std::string found, read_marker(*directory_, path_));
  return check_marker(path_, found, marker_);
}

std::uint64_t room_for_backups(const Directory::Space& space, int reserve_percent) {
  return space.free - std::min(space.free, reserve_of(space, reserve_percent));
}

Result<> Place::check_room(int reserve_percent) const {
  HF_CHECK(may_write());
  HF_TRY(const auto space, directory_->space());
  if (room_for_backups(space, reserve_percent) > 0) return {};
  return fail(ENOSPC, "no space is left on {}: {} bytes are free, {} ({} %) must stay free", path_,
              space.free, reserve_of(space, reserve_percent), reserve_percent);
}

Result<> Place::may_write() const {
  if (!lease_) return tl::make_unexpected(lease_.error());
  return (*lease_)->check();
}

Result<std::optional<Holder>> Place::may_be_taken_over() const {
  return Lease::may_be_taken_over(*directory_, path_);
}

Result<> Place::tell_former(const std::function<Result<>(const Holder&)>& tell) const {
  const MutexLock lock(former_mutex_);
  if (untold_former_) HF_CHECK(tell(*untold_former_));
  untold_former_.reset();
  return {};
}

Place::LayerPaths Place::paths_of(const std::string& machine_key, const Layer& layer) {
  const std::string image = machine_key + "/" + layer.file;
  const std::string beside = image.substr(0, image.rfind('/') + 1) + layer.image_id;
  return {.image = image, .sums = beside + ".sums", .content = beside + ".content"};
}

Result<image::ContentReader> Place::open_content(const std::string& machine_key, const Layer& layer,
                                                 const image::ContentShape& shape,
                                                 const std::string& sha256) const {
  HF_TRY(auto file, open_stored(*directory_, paths_of(machine_key, layer).content));
  return image::ContentReader::open(std::move(file), shape, sha256);
}

Result<std::unique_ptr<File>> open_stored(const Directory& directory, const std::string& path) {
  auto file = directory.open(path, Access::read);
  if (!file && file.error().code == ENOENT) return fail_damaged(ENOENT, "{} is missing", path);
  return file;
}

Result<Layer> Place::as_it_lies(const std::string& machine_key, const Layer& layer) const {
  if (layer.merging_image_id.empty()) return layer;
  HF_TRY(const auto image, open_stored(*directory_, paths_of(machine_key, layer).image));
  HF_TRY(const auto facts, image::inspect(*image));
  if (facts.image_id != layer.merging_image_id) return layer;
  Layer merged = layer;
  merged.image_id = layer.merging_image_id;
  merged.sums_sha256.clear();
  HF_TRY(merged.file_bytes, image->size());
  return merged;
}

Result<> check_sums(const File& sums, const std::string& expected, const image::Watch& watch) {
  if (expected.empty()) return {};
  HF_TRY(const std::string found, sha256_hex(sums, [&] { return watch ? watch(0) : Result<>(); }));
  if (found != expected)
    return fail_damaged(EIO, "{}: these are not the checksums that were written", sums.name());
  return {};
}

Result<std::shared_ptr<image::Stack>> Place::open_stack(const std::string& machine_key,
                                                        const std::vector<Layer>& layers,
                                                        bool checked) const {
  std::vector<image::LayerFiles> files;
  for (const Layer& recorded : layers) {
    HF_TRY(const Layer layer, as_it_lies(machine_key, recorded));
    const LayerPaths paths = paths_of(machine_key, layer);
    image::LayerFiles opened;
    HF_TRY(opened.image, open_stored(*directory_, paths.image));
    if (checked) {
      HF_TRY(opened.sums, open_stored(*directory_, paths.sums));
      HF_CHECK(check_sums(*opened.sums, layer.sums_sha256));
    }
    files.push_back(std::move(opened));
  }
  return image::Stack::open(std::move(files));
}

Result<> Place::discard(const std::string& machine_key, const std::string& point_name,
                        Publisher publisher) const {
  const std::string published = machine_key + "/" + point_name;
  const std::string partial = published + ".partial";
  if (publisher == Publisher::newer_catalog) {
    HF_TRY(const bool is_begun, directory_->exists(partial));
    if (is_begun) HF_CHECK(asides_->set_aside(*leased_, partial));
    return {};
  }
  HF_CHECK(remove_tree(*leased_, partial));
  HF_TRY(const bool is_published, directory_->exists(published));
  if (is_published && publisher == Publisher::this_life) HF_CHECK(remove_tree(*leased_, published));
  if (is_published && publisher == Publisher::unknown) {
    HF_TRY(const bool stays, may_be_committed(machine_key, point_name, publisher));
    log::warning("{}/{} is published, but this catalog has not committed it: it {}", path_, published,
                 stays ? "stays, because the catalog seems to be an older copy"
                       : "is set aside as " + point_name + ".aside, to be deleted by a person");
    if (!stays) HF_CHECK(asides_->set_aside(*leased_, published));
  }
  HF_TRY(const bool there, directory_->exists(machine_key));
  if (there) HF_CHECK(leased_->sync(machine_key));
  return {};
}

Result<bool> Place::may_be_committed(const std::string& machine_key, const std::string& point_name,
                                     Publisher publisher) const {
  HF_TRY(const bool is_published, directory_->exists(machine_key + "/" + point_name));
  if (!is_published || publisher == Publisher::this_life) return false;
  if (publisher == Publisher::newer_catalog) return true;
  return is_relied_on(machine_key, point_name);
}

// Whether something tells that the point was committed: its facts, which follow the commit, its retirement,
// or a point, retired or not, that names it as its parent.
Result<bool> Place::is_relied_on(const std::string& machine_key, const std::string& point_name) const {
  for (const char* file : {"facts.json", "retired.json"}) {
    HF_TRY(const bool there, directory_->exists(fmt::format("{}/{}/{}", machine_key, point_name, file)));
    if (there) return true;
  }
  HF_TRY(const auto entries, directory_->list(machine_key));
  for (const auto& entry : entries)
    for (const char* file : {"manifest.json", "retired.json"}) {
      const auto text = read_small_file(*directory_, fmt::format("{}/{}/{}", machine_key, entry.name, file));
      if (!text && (text.error().code == ENOENT || text.error().code == ENOTDIR)) continue;
      HF_CHECK(text);
      const auto manifest = json::parse_outside(*text);
      if (!manifest || !manifest->is_object()) return true;  // nobody can tell
      if (manifest->value("parent", nlohmann::json()) == point_name) return true;
    }
  return false;
}

}  // namespace holdfast::repository
