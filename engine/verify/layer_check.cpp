#include "engine/verify/layer_check.h"

#include <algorithm>

namespace holdfast::verify {
namespace {

struct Files {
  std::unique_ptr<File> image, sums;
};

Result<Files> open_files(const repository::Place& place, const StoredLayer& stored) {
  const auto paths = repository::Place::paths_of(stored.machine_key, stored.layer);
  Files files;
  HF_TRY(files.image, repository::open_stored(place.directory(), paths.image));
  HF_TRY(files.sums, repository::open_stored(place.directory(), paths.sums));
  return files;
}

Result<> check_identity(const File& image, const Layer& layer) {
  HF_TRY(const std::uint64_t size, image.size());
  if (size != layer.file_bytes)
    return fail_damaged(EIO, "{} has {} bytes; {} were written", image.name(), size, layer.file_bytes);
  HF_TRY(const image::ImageFacts facts, image::inspect(image));
  if (facts.image_id != layer.image_id)
    return fail_damaged(EIO, "{} is image '{}', not '{}', which was written there", image.name(),
                        facts.image_id, layer.image_id);
  return {};
}

// A merged image that the catalog doesn't know yet is checked against its own checksums.
Result<StoredLayer> as_it_lies(const repository::Place& place, const StoredLayer& recorded) {
  StoredLayer stored = recorded;
  HF_TRY(stored.layer, place.as_it_lies(recorded.machine_key, recorded.layer));
  return stored;
}

Result<> check_facts(const Files& files, const StoredLayer& stored, const image::Watch& watch) {
  HF_CHECK(check_identity(*files.image, stored.layer));
  return repository::check_sums(*files.sums, stored.layer.sums_sha256, watch);
}

}  // namespace

Result<std::vector<image::HostRange>> hidden_in(const repository::Place& place, const StoredLayer& stored) {
  if (stored.seen_through.empty()) return std::vector<image::HostRange>{};
  std::vector<image::LayerUse> uses;
  for (const auto& through : stored.seen_through) {
    HF_TRY(const auto stack, place.open_stack(stored.machine_key, through));
    const auto its = std::ranges::find(through, stored.layer.id, &Layer::id);
    uses.push_back({stack, static_cast<std::size_t>(its - through.begin())});
  }
  return image::hidden_data(uses);
}

Result<> check_quickly(const repository::Place& place, const StoredLayer& recorded,
                       const image::Watch& watch) {
  HF_TRY(const StoredLayer stored, as_it_lies(place, recorded));
  HF_TRY(const Files files, open_files(place, stored));
  return check_facts(files, stored, watch);
}

Result<> check_every_byte(const repository::Place& place, const StoredLayer& recorded,
                          const image::Watch& watch) {
  HF_TRY(const StoredLayer stored, as_it_lies(place, recorded));
  HF_TRY(const Files files, open_files(place, stored));
  HF_CHECK(check_facts(files, stored, watch));
  HF_TRY(const auto hidden, hidden_in(place, stored));
  return image::verify_punched_layer(*files.image, *files.sums, hidden, watch);
}

}  // namespace holdfast::verify
