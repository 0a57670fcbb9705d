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
  std::vector<HostRange> without(const ClusterSet& others) const {
    std::vector<HostRange> ranges;
    for (std::size_t i = 0; i < bits_.size(); ++i) {
      if (!bits_[i] || others.bits_[i]) continue;
      const std::uint64_t offset = std::uint64_t{i} << geometry_.bits;
      if (!ranges.empty() && ranges.back().offset + ranges.back().length == offset) {
        ranges.back().length += geometry_.cluster();
      } else {
        ranges.push_back({offset, geometry_.cluster()});
      }
    }
    return ranges;
  }

 private:
  const Geometry geometry_;
  std::vector<bool> bits_;
};

// Adds the host clusters of this layer's runs.
void add_runs(const SegmentMap& map, std::size_t number, const Layer& layer, ClusterSet& clusters) {
  for (std::size_t i = 0; i < map.runs().size(); ++i) {
    const SegmentMap::Run& run = map.runs()[i];
    if (run.layer != number) continue;
    if (run.kind == SegmentMap::Kind::plain) clusters.add(run.where, map.end_of(i) - run.start);
    if (run.kind == SegmentMap::Kind::compressed) {
      const Geometry::Slot slot = layer.stored_slot(run.where);
      clusters.add(slot.offset, slot.length);
    }
  }
}

// Adds the host clusters of layer `number` that the layers show together.
Result<> add_shown(LayerSpan layers, std::size_t number, ClusterSet& clusters) {
  const std::uint64_t size = layers.front()->size();
  for (std::uint64_t at = 0; at < size;) {
    const std::uint64_t end = std::min(round_down(at, Stack::kSegment) + Stack::kSegment, size);
    HF_TRY(const auto map, SegmentMap::resolve(layers, round_down(at, Stack::kSegment), end));
    add_runs(*map, number, *layers[number], clusters);
    HF_TRY(at, next_table(layers, end, size));
  }
  return {};
}

}  // namespace

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

Result<> punch(File& image, std::span<const HostRange> hidden) {
  for (const HostRange& range : hidden) HF_CHECK(image.punch(range.offset, range.length));
  return image.sync_data();
}

}  // namespace holdfast::image
