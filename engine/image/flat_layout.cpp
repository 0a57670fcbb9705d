#include "engine/image/flat_layout.h"

#include <algorithm>
#include <bit>

namespace holdfast::image {

void RankedBits::count() {
  for (std::size_t i = 0; i < words_.size(); ++i)
    before_[i + 1] = before_[i] + static_cast<std::uint32_t>(std::popcount(words_[i]));
}

std::uint64_t RankedBits::rank(std::uint64_t number) const {
  const std::uint64_t lower = words_[number / 64] & ((std::uint64_t{1} << number % 64) - 1);
  return before_[number / 64] + static_cast<std::uint64_t>(std::popcount(lower));
}

std::uint64_t RankedBits::nth(std::uint64_t rank) const {
  const auto word = static_cast<std::size_t>(std::ranges::upper_bound(before_, rank) - before_.begin()) - 1;
  std::uint64_t bits = words_[word];
  for (std::uint64_t skip = rank - before_[word]; skip != 0; --skip) bits &= bits - 1;
  return word * 64 + static_cast<std::uint64_t>(std::countr_zero(bits));
}

Result<FlatLayout> FlatLayout::make(const LayeredStack& stack) {
  constexpr std::uint64_t kSegment = LayeredStack::kSegment;
  FlatLayout layout;
  layout.geometry = stack.layers().front()->geometry();
  const Geometry& geometry = layout.geometry;
  layout.l1_entries = std::max<std::uint64_t>(1, geometry.l1_entries(stack.size()));
  layout.tables = RankedBits(layout.l1_entries);

  std::uint64_t data_clusters = 0;
  for (std::uint64_t start = 0; start < stack.size(); start += kSegment) {
    layout.chunks.push_back(data_clusters);
    HF_TRY(const std::uint64_t first,
           next_table(stack.layers(), start, std::min(start + kSegment, stack.size())));
    if (first >= std::min(start + kSegment, stack.size())) continue;
    HF_TRY(const auto segment, FlatSegment::make(stack, start));
    data_clusters += segment->host_clusters(geometry);
    const auto table_of = [&](std::uint64_t cluster) {
      return (start + cluster * geometry.cluster()) / geometry.table_span();
    };
    for (const std::uint32_t cluster : segment->plain()) layout.tables.add(table_of(cluster));
    for (const FlatSegment::Slot& slot : segment->slots()) layout.tables.add(table_of(slot.cluster));
  }
  layout.chunks.push_back(data_clusters);
  layout.tables.count();

  const std::uint64_t l1_clusters = divide_up(layout.l1_entries * 8, geometry.cluster());
  const RefcountNeed need =
      refcount_need(geometry, 1 + l1_clusters + layout.tables.size() + data_clusters, {});
  if (need.table_clusters * geometry.cluster() > kMaxRefcountTableBytes)
    return fail(EINVAL, "{} would be a flat image of more clusters than can be counted",
                stack.layers().front()->name());
  layout.l1 = 1;
  layout.refcount_table = layout.l1 + l1_clusters;
  layout.refcount_blocks = layout.refcount_table + need.table_clusters;
  layout.l2 = layout.refcount_blocks + need.blocks;
  layout.data = layout.l2 + layout.tables.size();
  layout.end = layout.data + data_clusters;
  return layout;
}

std::uint64_t FlatLayout::segment_of(std::uint64_t host_cluster) const {
  const auto after = std::ranges::upper_bound(chunks, host_cluster - data);
  return static_cast<std::uint64_t>(after - chunks.begin()) - 1;
}

}  // namespace holdfast::image
