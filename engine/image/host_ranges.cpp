#include "engine/image/host_ranges.h"

#include <algorithm>

#include "engine/image/stack.h"

namespace holdfast::image {
namespace {

// A set of host clusters of one file, a bit each.
class ClusterSet {
 public:
  ClusterSet(const Layer& layer)
      : geometry_(layer.geometry()), bits_(divide_up(layer.file_size(), geometry_.cluster())) {}

  void add(std::uint64_t offset, std::uint64_t length) {
    const std::uint64_t end = divide_up(offset + length, geometry_.cluster());
    for (std::uint64_t i = offset >> geometry_.bits; i < std::min<std::uint64_t>(end, bits_.size()); ++i)
      bits_[i] = true;
  }
  bool touches(std::uint64_t offset, std::uint64_t length) const {
    const std::uint64_t end = divide_up(offset + length, geometry_.cluster());
    for (std::uint64_t i = offset >> geometry_.bits; i < std::min<std::uint64_t>(end, bits_.size()); ++i)
      if (bits_[i]) return true;
    return false;
  }
  std::vector<HostRange> without(const ClusterSet& others) const {
    std::vector<HostRange> ranges;
    for (std::size_t i = 0; i < bits_.size(); ++i) {
      if (!bits_[i] || others.bits_[i]) continue;
      add_cluster(ranges, std::uint64_t{i} << geometry_.bits, geometry_.cluster());
    }
    return ranges;
  }

 private:
  const Geometry geometry_;
  std::vector<bool> bits_;
};

// The bytes of the file that a run of data refers to; empty for any other run.
HostRange range_of(const Layer& layer, const SegmentMap& map, std::size_t run) {
  const SegmentMap::Run& its = map.runs()[run];
  if (its.kind == SegmentMap::Kind::plain) return {its.where, map.end_of(run) - its.start};
  if (its.kind != SegmentMap::Kind::compressed) return {};
  const Geometry::Slot slot = layer.stored_slot(its.where);
  return {slot.offset, slot.length};
}

// Visits the data of layer `number` that the layers show together.
Result<> each_shown_of(LayerSpan layers, std::size_t number, const VisitRun& visit) {
  const std::uint64_t size = layers.front()->size();
  for (std::uint64_t at = 0; at < size;) {
    const std::uint64_t start = round_down(at, Stack::kSegment);
    const std::uint64_t end = std::min(start + Stack::kSegment, size);
    HF_TRY(const auto map, SegmentMap::resolve(layers, start, end));
    for (std::size_t i = 0; i < map->runs().size(); ++i) {
      const SegmentMap::Run& run = map->runs()[i];
      if (run.layer != number) continue;
      const HostRange range = range_of(*layers[number], *map, i);
      const DiskRange disk{start + run.start, map->end_of(i) - run.start};
      if (range.length > 0) visit(range, disk, run.kind == SegmentMap::Kind::compressed);
    }
    HF_TRY(at, next_table(layers, end, size));
  }
  return {};
}

// Adds the host clusters of layer `number` that the layers show together.
Result<> add_shown(LayerSpan layers, std::size_t number, ClusterSet& clusters) {
  return each_shown_of(layers, number, [&](const HostRange& range, const DiskRange&, bool) {
    clusters.add(range.offset, range.length);
  });
}

void join(std::vector<DiskRange>& ranges, const DiskRange& range) {
  if (!ranges.empty() && ranges.back().offset + ranges.back().length == range.offset)
    ranges.back().length += range.length;
  else
    ranges.push_back(range);
}

}  // namespace

void add_cluster(std::vector<HostRange>& ranges, std::uint64_t offset, std::uint64_t cluster) {
  if (!ranges.empty() && ranges.back().offset + ranges.back().length == offset)
    ranges.back().length += cluster;
  else
    ranges.push_back({offset, cluster});
}

Result<> each_shown(const LayerUse& use, const VisitRun& visit) {
  return each_shown_of(use.stack->layers(), use.layer, visit);
}

Result<std::vector<HostRange>> hidden_data(std::span<const LayerUse> uses) {
  if (uses.empty()) return fail(EINVAL, "no stack contains the layer, so all of it is hidden");
  std::optional<ClusterSet> stored, shown;
  for (const LayerUse& use : uses) {
    if (use.layer >= use.stack->layers().size())
      return fail(EINVAL, "there is no layer {} in this stack", use.layer);
    const LayerSpan layers = use.stack->layers();
    const Layer& layer = *layers[use.layer];
    if (!stored) {
      stored.emplace(layer);
      shown.emplace(layer);
      HF_CHECK(add_shown(layers.subspan(use.layer, 1), 0, *stored));
    }
    HF_CHECK(add_shown(layers, use.layer, *shown));
  }
  return stored->without(*shown);
}

Result<std::optional<std::vector<DiskRange>>> shown_from(const LayerUse& use,
                                                         std::span<const HostRange> clusters) {
  const LayerSpan layers = use.stack->layers();
  const Layer& layer = *layers[use.layer];
  ClusterSet wanted(layer), stored(layer);
  for (const HostRange& range : clusters) wanted.add(range.offset, range.length);
  HF_CHECK(add_shown(layers.subspan(use.layer, 1), 0, stored));
  if (!wanted.without(stored).empty()) return std::nullopt;
  std::vector<DiskRange> found;
  const std::uint64_t cluster = layer.geometry().cluster();
  HF_CHECK(each_shown(use, [&](const HostRange& range, const DiskRange& its, bool is_compressed) {
    const std::uint64_t step = is_compressed ? its.length : cluster;  // a compressed cluster is whole or not
    for (std::uint64_t at = 0; at < its.length; at += step) {
      const std::uint64_t length = std::min(step, its.length - at);
      const bool is_hit = is_compressed ? wanted.touches(range.offset, range.length)
                                        : wanted.touches(range.offset + at, length);
      if (is_hit) join(found, {its.offset + at, length});
    }
  }));
  return found;
}

Result<> punch(File& image, std::span<const HostRange> hidden) {
  for (const HostRange& range : hidden) HF_CHECK(image.punch(range.offset, range.length));
  return image.sync_data();
}

}  // namespace holdfast::image
