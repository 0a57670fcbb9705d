#include "engine/retention/merging.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "catalog/base/sha256.h"
#include "engine/image/content_sums.h"
#include "engine/image/merge.h"
#include "engine/repository/readers.h"
#include "engine/retention/room.h"

namespace holdfast::retention {
namespace {

using repository::Place;

constexpr std::size_t kAtOnce = 8;  // layers that a merge should free

// Copies the content sums under the new image's id.
Result<> copy_content(const Ground& ground, const Retention::StoredLayer& layer, const image::ImageId& id,
                      const std::string& to) {
  if (layer.content_sha256.empty()) return {};
  HF_TRY(const auto image, ground.directory().open(Place::paths_of(ground.key, layer).image, Access::read));
  HF_TRY(const auto facts, image::inspect(*image));
  image::ContentShape shape{.cluster_size = facts.cluster_size,
                            .disk_size = facts.virtual_size,
                            .id = image::id_of(layer.image_id).value_or(image::ImageId{})};
  auto content = ground.place->open_content(ground.key, layer, shape, layer.content_sha256);
  // Without content sums the next run reads the disk as if it had no parent, and reports so.
  if (!content) return content.error().damage ? Result<>{} : tl::make_unexpected(content.error());
  shape.id = id;
  HF_TRY(const auto file, ground.directory().create(to));
  HF_TRY(auto writer, image::ContentWriter::create(*file, shape));
  constexpr std::uint64_t kClusters = 8192;
  for (std::uint64_t at = 0; at < shape.clusters(); at += kClusters) {
    HF_TRY(const auto sums, content->read(at, std::min(kClusters, shape.clusters() - at)));
    HF_CHECK(writer.write(at, sums));
  }
  HF_CHECK(writer.finish());
  return {};
}

// Records in the catalog the image that has taken the layer's place.
Result<> settle_merge(const Ground& ground, const Retention::StoredLayer& layer) {
  const MergeFiles files = merge_files(ground.key, layer, layer.merging_image_id);
  HF_TRY(const auto image, ground.directory().open(ground.key + "/" + layer.file, Access::read));
  HF_TRY(const std::uint64_t bytes, image->size());
  HF_TRY(const auto sums, ground.directory().open(files.sums, Access::read));
  HF_TRY(const std::string sums_sha256, sha256_hex(*sums));
  std::string content_sha256;
  HF_TRY(const bool has_content, ground.directory().exists(files.content));
  if (has_content) {
    HF_TRY(const auto content, ground.directory().open(files.content, Access::read));
    HF_TRY(content_sha256, sha256_hex(*content));
  }
  Layer merged = layer;
  merged.image_id = layer.merging_image_id;
  HF_TRY(const std::uint64_t stored, stored_bytes(ground, merged));
  HF_CHECK(ground.write([&](Retention store) -> Result<> {
    HF_CHECK(store.end_merge(layer.id, bytes, sums_sha256, content_sha256));
    return store.set_stored(layer.id, stored, ground.services.clock.now());
  }));
  // A run may read the old content sums until the catalog knows the new ones.
  const auto old = Place::paths_of(ground.key, layer);
  HF_CHECK(remove_if_there(ground.directory(), old.sums));
  return remove_if_there(ground.directory(), old.content);
}

Result<> give_up_merge(const Ground& ground, const Retention::StoredLayer& layer) {
  const MergeFiles files = merge_files(ground.key, layer, layer.merging_image_id);
  for (const std::string& path : {files.image, files.sums, files.content})
    HF_CHECK(remove_if_there(ground.directory(), path));
  return ground.write([&](Retention store) { return store.give_up_merge(layer.id); });
}

// Completes the merge if the new image is in place; else undoes it.
Result<> resume(const Ground& ground, const Retention::StoredLayer& layer) {
  HF_TRY(const auto image, ground.directory().open(ground.key + "/" + layer.file, Access::read));
  HF_TRY(const auto facts, image::inspect(*image));
  if (facts.image_id != layer.merging_image_id) return give_up_merge(ground, layer);
  const auto nobody_opens = ground.services.readers.changing(ground.repository);
  return settle_merge(ground, layer);
}

Result<> write_merged(const Ground& ground, std::span<const Retention::StoredLayer> run,
                      const Retention::StoredLayer& below, const image::ImageId& id) {
  const MergeFiles files = merge_files(ground.key, run.front(), image::hex(id));
  std::vector<image::LayerFiles> layers;
  for (const auto& layer : run) {
    const auto paths = Place::paths_of(ground.key, layer);
    image::LayerFiles opened;
    HF_TRY(opened.image, ground.directory().open(paths.image, Access::read));
    HF_TRY(opened.sums, ground.directory().open(paths.sums, Access::read));
    layers.push_back(std::move(opened));
  }
  HF_TRY(const auto image, ground.directory().create(files.image));
  HF_TRY(const auto sums, ground.directory().create(files.sums));
  HF_TRY(const auto written, image::merge_layers(std::move(layers), *image, *sums,
                                                 {.backing_file = "../" + below.file, .id = id}));
  ground.outcome.bytes_written += written.stored_bytes;
  HF_CHECK(copy_content(ground, run.front(), id, files.content));
  return ground.directory().sync(files.directory);
}

// Merges `run` into one image in the place of its first, newest layer.
Result<> merge(const Ground& ground, std::span<const Retention::StoredLayer> run,
               const Retention::StoredLayer& below) {
  const image::ImageId id = image::new_image_id();
  Retention::StoredLayer top = run.front();
  top.merging_image_id = image::hex(id);
  HF_CHECK(ground.write(
      [&](Retention store) { return store.begin_merge(top.id, top.merging_image_id, below.id); }));
  if (const auto written = write_merged(ground, run, below, id); !written) {
    HF_CHECK(give_up_merge(ground, top));
    return written;
  }
  const MergeFiles files = merge_files(ground.key, top, top.merging_image_id);
  {
    const auto nobody_opens = ground.services.readers.changing(ground.repository);
    HF_CHECK(ground.directory().rename(files.image, ground.key + "/" + top.file));
    HF_CHECK(ground.directory().sync(files.directory));
    if (const auto settled = settle_merge(ground, top); !settled) {
      ground.services.left_behind.add(ground.machine);  // readers cope until the sweeper has settled it
      return settled;
    }
  }
  ++ground.outcome.merges;
  return remove_unneeded(ground);
}

Result<std::vector<std::uint64_t>> bytes_of(const Ground& ground, const Tower& tower) {
  std::vector<std::uint64_t> bytes;
  for (const auto& layer : tower) {
    HF_TRY(const auto file, ground.directory().open(Place::paths_of(ground.key, layer).image, Access::read));
    HF_TRY(bytes.emplace_back(), file->allocated());
  }
  return bytes;
}

// Returns false if nothing more can be merged now.
Result<bool> shorten(const Ground& ground, const Tower& tower) {
  const std::vector<bool> shown = [&] {
    std::vector<bool> each;
    for (const auto& layer : tower) each.push_back(layer.shown);
    return each;
  }();
  if (tower.size() <= kDeepest) return false;
  HF_TRY(const auto bytes, bytes_of(ground, tower));
  const auto run = choose_run(shown, bytes);
  if (!run) return false;
  const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(run->newest);
  const std::uint64_t needed = std::accumulate(
      begin, begin + static_cast<std::ptrdiff_t>(run->oldest - run->newest + 1), std::uint64_t{0});
  HF_TRY(const auto space, ground.directory().space());
  if (space.free <= needed) {
    ground.outcome.put_off.push_back(
        fmt::format("merging {} layers of disk {} needs {} free bytes; {} are free",
                    run->oldest - run->newest + 1, tower.front().disk, needed, space.free));
    return false;
  }
  const auto merged = merge(ground, std::span{tower}.subspan(run->newest, run->oldest - run->newest + 1),
                            tower[run->oldest + 1]);
  if (merged) return true;
  if (merged.error().code != ENOSPC && merged.error().code != EINVAL && merged.error().code != EIO)
    return tl::make_unexpected(merged.error());
  ground.outcome.put_off.push_back(merged.error().message);
  return false;
}

}  // namespace

MergeFiles merge_files(const std::string& machine_key, const Layer& layer, const std::string& image_id) {
  const std::string file = machine_key + "/" + layer.file;
  const std::string directory = file.substr(0, file.rfind('/'));
  return {directory, directory + "/" + image_id + ".merging", directory + "/" + image_id + ".sums",
          directory + "/" + image_id + ".content"};
}

std::optional<Run> choose_run(const std::vector<bool>& shown, const std::vector<std::uint64_t>& bytes,
                              std::size_t deepest) {
  const std::size_t depth = shown.size();
  if (depth <= deepest) return std::nullopt;
  std::optional<Run> best;
  auto best_rank = std::tuple{true, 0.0, std::size_t{0}};
  for (std::size_t newest = 0; newest < depth; ++newest) {
    if (!shown[newest]) continue;
    std::uint64_t cost = bytes[newest];
    // The last layer is left out, because all others rest on it.
    for (std::size_t oldest = newest + 1; oldest + 1 < depth && !shown[oldest]; ++oldest) {
      cost += bytes[oldest];
      const std::size_t freed = oldest - newest;
      const bool is_small = freed < kAtOnce;
      const std::tuple rank{is_small, static_cast<double>(cost) / static_cast<double>(freed), depth - freed};
      if (best && best_rank <= rank) continue;
      best = Run{newest, oldest};
      best_rank = rank;
    }
  }
  return best;
}

Result<> resume_merges(const Ground& ground) {
  HF_TRY(const auto layers, ground.layers());
  for (const auto& layer : layers)
    if (is_merging(layer)) HF_CHECK(resume(ground, layer));
  return {};
}

Result<> merge_towers(const Ground& ground) {
  for (bool merged = true; merged;) {
    merged = false;
    HF_CHECK(ground.check_cancel());
    HF_TRY(const auto layers, ground.layers());
    for (const Tower& tower : towers_of(layers)) {
      HF_TRY(merged, shorten(ground, tower));
      if (merged) break;  // the towers have changed
    }
  }
  return {};
}

}  // namespace holdfast::retention
