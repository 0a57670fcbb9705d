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

Result<FlatLayout> FlatLayout::make(const Stack& stack) {
  constexpr std::uint64_t kSegment = Stack::kSegment;
  FlatLayout layout;
  layout.geometry = stack.layers().front()->geometry();
  const Geometry& geometry = layout.geometry;
  layout.l1_entries = std::max<std::uint64_t>(1, geometry.l1_entries(stack.size()));
  layout.tables = RankedBits(layout.l1_entries);

  // Data clusters are counted from 0 on, because the size of the tables before them is not known yet.
  std::uint64_t data_clusters = 0;
  for (std::uint64_t at = 0;;) {
    HF_TRY(at, next_table(stack.layers(), at, stack.size()));
    if (at >= stack.size()) break;
    const std::uint64_t start = round_down(at, kSegment);
    HF_TRY(const auto segment, FlatSegment::make(stack, start));
    const std::uint64_t first = data_clusters;
    data_clusters += segment->host_clusters(geometry);
    if (data_clusters != first) layout.chunks.push_back({start, first, data_clusters});
    const auto table_of = [&](std::uint64_t cluster) {
      return (start + cluster * geometry.cluster()) / geometry.table_span();
    };
    for (const std::uint32_t cluster : segment->plain()) layout.tables.add(table_of(cluster));
    for (const FlatSegment::Slot& slot : segment->slots()) layout.tables.add(table_of(slot.cluster));
    at = std::min(start + kSegment, stack.size());
  }
  layout.tables.count();

  const std::uint64_t l1_clusters = divide_up(layout.l1_entries * 8, geometry.cluster());
  const RefcountNeed need =
      refcount_need(geometry, 1 + l1_clusters + layout.tables.size() + data_clusters, {});
  if (need.table_clusters * geometry.cluster() > kMaxRefcountTableBytes)
    return fail(EINVAL, "the flat image of {} has more clusters than its refcounts can count",
                stack.layers().front()->name());
  layout.l1 = 1;
  layout.refcount_table = layout.l1 + l1_clusters;
  layout.refcount_blocks = layout.refcount_table + need.table_clusters;
  layout.l2 = layout.refcount_blocks + need.blocks;
  layout.data = layout.l2 + layout.tables.size();
  layout.end = layout.data + data_clusters;
  for (Chunk& chunk : layout.chunks) {
    chunk.first += layout.data;
    chunk.end += layout.data;
  }
  return layout;
}

std::span<const FlatLayout::Chunk> FlatLayout::chunks_in_file(std::uint64_t first,
                                                              std::uint64_t after_last) const {
  const auto from = std::ranges::upper_bound(chunks, first, {}, &Chunk::end);
  const auto to = std::ranges::lower_bound(chunks, after_last, {}, &Chunk::first);
  return {from, std::max(from, to)};
}

std::span<const FlatLayout::Chunk> FlatLayout::chunks_on_disk(std::uint64_t start, std::uint64_t stop) const {
  const auto from = std::ranges::lower_bound(chunks, start, {}, &Chunk::segment);
  const auto to = std::ranges::lower_bound(chunks, stop, {}, &Chunk::segment);
  return {from, to};
}

}  // namespace holdfast::image
