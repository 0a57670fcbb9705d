#include "engine/image/flat_image.h"

#include <algorithm>

#include "engine/image/header.h"

namespace holdfast::image {
namespace {

constexpr std::uint64_t kSegment = Stack::kSegment;

}  // namespace

Result<> FlatImage::read(std::uint64_t offset, ByteSpan into) const {
  while (!into.empty()) {
    HF_TRY(const std::size_t length,
           offset < layout_.offset_of(layout_.data) ? read_table(offset, into) : read_data(offset, into));
    offset += length;
    into = into.subspan(length);
  }
  return {};
}

Result<std::size_t> FlatImage::read_table(std::uint64_t offset, ByteSpan into) const {
  const std::uint64_t number = offset / cluster();
  const auto make = [&]() -> Result<std::shared_ptr<const Bytes>> {
    HF_TRY(Bytes computed, compute(number));
    return std::make_shared<const Bytes>(std::move(computed));
  };
  HF_TRY(const auto table, tables_.get(number, make));
  const ByteView wanted = ByteView{*table}.subspan(offset % cluster());
  const std::size_t length = std::min(wanted.size(), into.size());
  copy_bytes(wanted.first(length), into);
  return length;
}

Result<std::size_t> FlatImage::read_data(std::uint64_t offset, ByteSpan into) const {
  const std::uint64_t number = offset / cluster();
  const FlatLayout::Chunk& chunk = layout_.chunks_in_file(number, number + 1).front();
  HF_TRY(const auto segment, this->segment(chunk));
  const std::uint64_t at = offset - layout_.offset_of(chunk.first);
  const std::uint64_t slots_at = segment->plain().size() * cluster();
  if (at < slots_at) return read_plain(*segment, chunk.segment, at, into);
  const std::uint64_t left = layout_.offset_of(chunk.end) - offset;
  return read_slots(*segment, at - slots_at, into.first(std::min<std::uint64_t>(into.size(), left)));
}

Result<std::size_t> FlatImage::read_plain(const FlatSegment& segment, std::uint64_t segment_start,
                                          std::uint64_t at, ByteSpan into) const {
  const auto& plain = segment.plain();
  const std::size_t first = at / cluster();
  std::size_t last = first;
  while ((last + 1 - first) * cluster() < at % cluster() + into.size() && last + 1 < plain.size() &&
         plain[last + 1] == plain[last] + 1)
    ++last;
  const std::uint64_t disk_offset = segment_start + plain[first] * cluster() + at % cluster();
  const std::size_t length =
      std::min<std::uint64_t>((last + 1 - first) * cluster() - at % cluster(), into.size());
  // The disk may end inside its last cluster.
  const std::size_t on_disk =
      disk_offset < stack_->size() ? std::min<std::uint64_t>(length, stack_->size() - disk_offset) : 0;
  if (on_disk != 0) HF_CHECK(stack_->read(disk_offset, into.first(on_disk)));
  std::ranges::fill(into.subspan(on_disk, length - on_disk), std::byte{0});
  return length;
}

Result<std::size_t> FlatImage::read_slots(const FlatSegment& segment, std::uint64_t at, ByteSpan into) const {
  const auto& slots = segment.slots();
  const auto after = std::ranges::upper_bound(slots, at, {}, &FlatSegment::Slot::at);
  const FlatSegment::Slot& slot = *std::prev(after);
  const std::uint64_t from = at - slot.at;
  if (from < slot.length) {
    const Layer& layer = *stack_->layers()[slot.layer];
    const std::size_t length = std::min<std::uint64_t>(slot.length - from, into.size());
    HF_CHECK(layer.read_stored(layer.stored_slot(slot.entry).offset + from, into.first(length)));
    return length;
  }
  const std::uint64_t gap_end = after != slots.end() ? after->at : at + into.size();
  const std::size_t length = std::min<std::uint64_t>(gap_end - at, into.size());
  std::ranges::fill(into.first(length), std::byte{0});
  return length;
}

FlatImage::Table FlatImage::compute(std::uint64_t number) const {
  if (number < layout_.l1) return header();
  if (number < layout_.refcount_table) return l1(number - layout_.l1);
  if (number < layout_.refcount_blocks) return refcount_table(number - layout_.refcount_table);
  if (number < layout_.l2) return refcount_block(number - layout_.refcount_blocks);
  return l2(layout_.tables.nth(number - layout_.l2));
}

FlatImage::Table FlatImage::header() const {
  Header header;
  header.geometry = layout_.geometry;
  header.virtual_size = stack_->size();
  header.l1_entries = static_cast<std::uint32_t>(layout_.l1_entries);
  header.l1_offset = layout_.offset_of(layout_.l1);
  header.refcount_table_offset = layout_.offset_of(layout_.refcount_table);
  header.refcount_table_clusters =
      static_cast<std::uint32_t>(layout_.refcount_blocks - layout_.refcount_table);
  header.zstd = stack_->layers().front()->header().zstd;
  return print_header(header);
}

FlatImage::Table FlatImage::l1(std::uint64_t part) const {
  Bytes bytes(cluster());
  const std::uint64_t first = part * layout_.geometry.table_entries();
  const std::uint64_t end = std::min(first + layout_.geometry.table_entries(), layout_.l1_entries);
  for (std::uint64_t table = first; table < end; ++table)
    if (layout_.tables.has(table))
      store_be(bytes.data() + (table - first) * 8, layout_.l2_offset(table) | kCopied);
  return bytes;
}

FlatImage::Table FlatImage::refcount_table(std::uint64_t part) const {
  Bytes bytes(cluster());
  const std::uint64_t first = part * layout_.geometry.table_entries();
  const std::uint64_t end =
      std::min(first + layout_.geometry.table_entries(), layout_.l2 - layout_.refcount_blocks);
  for (std::uint64_t block = first; block < end; ++block)
    store_be(bytes.data() + (block - first) * 8, layout_.offset_of(layout_.refcount_blocks + block));
  return bytes;
}

FlatImage::Table FlatImage::refcount_block(std::uint64_t block) const {
  const std::uint64_t first = block * layout_.geometry.counts_per_block();
  const std::uint64_t end = std::min(first + layout_.geometry.counts_per_block(), layout_.end);
  std::vector<std::uint16_t> counts(layout_.geometry.counts_per_block());
  const auto refer = [&](std::uint64_t from,
                         std::uint64_t to) {  // host clusters; others than this block's are ignored
    for (std::uint64_t at = std::max(from, first); at < std::min(to, end); ++at) ++counts[at - first];
  };
  refer(0, layout_.data);
  for (const FlatLayout::Chunk& chunk : layout_.chunks_in_file(first, end)) {
    HF_TRY(const auto segment, this->segment(chunk));
    const std::uint64_t slots_at = chunk.first + segment->plain().size();
    refer(chunk.first, slots_at);
    for (const FlatSegment::Slot& slot : segment->slots())
      refer(slots_at + slot.at / cluster(), slots_at + (slot.at + slot.length - 1) / cluster() + 1);
  }
  Bytes bytes(cluster());
  for (std::size_t i = 0; i < counts.size(); ++i) store_be(bytes.data() + i * 2, counts[i]);
  return bytes;
}

FlatImage::Table FlatImage::l2(std::uint64_t table) const {
  Bytes bytes(cluster());
  const std::uint64_t table_start = table * layout_.geometry.table_span();
  const std::uint64_t table_end = std::min(table_start + layout_.geometry.table_span(), stack_->size());
  for (const FlatLayout::Chunk& chunk :
       layout_.chunks_on_disk(round_down(table_start, kSegment), table_end)) {
    HF_TRY(const auto segment, this->segment(chunk));
    const auto set = [&](std::uint32_t in_segment, std::uint64_t entry) {
      const std::uint64_t disk_offset = chunk.segment + in_segment * cluster();
      if (disk_offset >= table_start && disk_offset < table_end)
        store_be(bytes.data() + (disk_offset - table_start) / cluster() * 8, entry);
    };
    const std::uint64_t plain_at = layout_.offset_of(chunk.first);
    const std::uint64_t slots_at = plain_at + segment->plain().size() * cluster();
    for (std::size_t i = 0; i < segment->plain().size(); ++i)
      set(segment->plain()[i], (plain_at + i * cluster()) | kCopied);
    for (const FlatSegment::Slot& slot : segment->slots())
      set(slot.cluster, layout_.geometry.slot_entry(slots_at + slot.at, slot.length));
  }
  return bytes;
}

Result<std::shared_ptr<const FlatSegment>> FlatImage::segment(const FlatLayout::Chunk& chunk) const {
  return segments_.get(chunk.segment, [&] { return FlatSegment::make(*stack_, chunk.segment); });
}

}  // namespace holdfast::image
