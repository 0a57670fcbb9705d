#include "engine/repository/draft.h"

#include "catalog/base/sha256.h"

namespace holdfast::repository {

Draft::Draft(std::shared_ptr<Place> place, std::string machine_key, std::string point_name)
    : place_(std::move(place)),
      machine_key_(std::move(machine_key)),
      point_name_(std::move(point_name)),
      partial_(machine_key_ + "/" + point_name_ + ".partial") {}

Result<Draft> Draft::create(std::shared_ptr<Place> place, const std::string& machine_key,
                            const std::string& point_name) {
  Directory& directory = place->directory();
  HF_CHECK(make_if_missing(directory, machine_key));
  Draft draft(std::move(place), machine_key, point_name);
  HF_CHECK(directory.make_directory(draft.partial_));
  return draft;
}

Result<Draft> Draft::take_up(std::shared_ptr<Place> place, const std::string& machine_key,
                             const std::string& point_name) {
  Directory& directory = place->directory();
  HF_CHECK(make_if_missing(directory, machine_key));
  Draft draft(std::move(place), machine_key, point_name);
  // The earlier run had published the directory but not committed the copy.
  const std::string published = machine_key + "/" + point_name;
  HF_TRY(const bool was_published, directory.exists(published));
  if (was_published) HF_CHECK(directory.rename(published, draft.partial_));
  HF_TRY(const bool begun, directory.exists(draft.partial_));
  if (!begun) HF_CHECK(directory.make_directory(draft.partial_));
  for (const char* document : {"/RESTORE.txt", "/manifest.json"}) {
    const auto removed = directory.remove(draft.partial_ + document);
    if (!removed && removed.error().code != ENOENT) return tl::make_unexpected(removed.error());
  }
  return draft;
}

Result<Draft::DiskFiles> Draft::create_disk(const std::string& disk_name, const std::string& image_id) {
  DiskFiles files;
  HF_TRY(files.image, place_->directory().create(partial_ + "/" + disk_name + ".qcow2"));
  HF_TRY(files.sums, place_->directory().create(partial_ + "/" + image_id + ".sums"));
  return files;
}

Result<std::unique_ptr<File>> Draft::create_content(const std::string& image_id) {
  return place_->directory().create(partial_ + "/" + image_id + ".content");
}

Result<std::string> Draft::publish(const Point& point, const ManifestNames& names,
                                   const std::vector<Layer>& layers) {
  Directory& directory = place_->directory();
  const std::string manifest = manifest_text(point, names, machine_key_, layers);
  HF_CHECK(write_new_file(directory, partial_ + "/RESTORE.txt", restore_text(point, names)));
  HF_CHECK(write_new_file(directory, partial_ + "/manifest.json", manifest));
  HF_CHECK(directory.sync(partial_));
  HF_CHECK(directory.rename(partial_, machine_key_ + "/" + point_name_));
  HF_CHECK(directory.sync(machine_key_));
  return sha256_hex(as_bytes(manifest));
}

}  // namespace holdfast::repository
