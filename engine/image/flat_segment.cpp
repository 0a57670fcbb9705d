#include "engine/image/flat_segment.h"

#include <algorithm>

namespace holdfast::image {

using Kind = SegmentMap::Kind;

Result<std::shared_ptr<const FlatSegment>> FlatSegment::make(const Stack& stack,
                                                             std::uint64_t segment_start) {
  HF_TRY(const auto map, stack.segment(segment_start));
  const Header& flat = stack.layers().front()->header();
  const std::uint64_t cluster = flat.geometry.cluster();
  const std::uint64_t length = map->end_of(map->runs().size() - 1);
  const auto passes_through = [&](const SegmentMap::Run& run) {
    const Header& header = stack.layers()[run.layer]->header();
    return run.kind == Kind::compressed && header.geometry.bits == flat.geometry.bits &&
           header.zstd == flat.zstd;
  };

  auto segment = std::make_shared<FlatSegment>();
  const auto& runs = map->runs();
  std::size_t i = 0;
  for (std::uint64_t start = 0; start < length;) {
    const std::uint64_t end = std::min(start + cluster, length);
    while (map->end_of(i) <= start) ++i;
    // A cluster in one run is of that run's kind. A cluster in several runs has data if one of them has.
    bool has_data = false;
    for (std::size_t k = i; k < runs.size() && runs[k].start < end; ++k)
      has_data |= runs[k].kind == Kind::plain || runs[k].kind == Kind::compressed;
    const SegmentMap::Run& run = runs[i];
    const auto number = static_cast<std::uint32_t>(start / cluster);
    if (!has_data) {
      // The run has no data: skip to its last cluster.
      start = std::max(end, round_down<std::uint64_t>(map->end_of(i), cluster));
      continue;
    }
    if (run.start == start && map->end_of(i) >= end && passes_through(run)) {
      const Geometry::Slot slot = stack.layers()[run.layer]->stored_slot(run.where);
      segment->slots_.push_back({run.where, segment->slot_bytes_, slot.length, number, run.layer});
      segment->slot_bytes_ += round_up<std::uint64_t>(slot.length, kSector);
    } else {
      segment->plain_.push_back(number);
    }
    start = end;
  }
  segment->plain_.shrink_to_fit();
  segment->slots_.shrink_to_fit();
  return segment;
}

}  // namespace holdfast::image
