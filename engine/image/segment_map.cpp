#include "engine/image/segment_map.h"

#include <algorithm>

namespace holdfast::image {
namespace {

using Kind = SegmentMap::Kind;

struct Range {
  std::uint64_t start, end;
};

void append(std::vector<Range>& ranges, Range range) {
  if (!ranges.empty() && ranges.back().end == range.start) {
    ranges.back().end = range.end;
  } else if (range.start < range.end) {
    ranges.push_back(range);
  }
}

// A run during the merge; its offsets are the disk's.
struct Piece {
  Range at;
  SegmentMap::Kind kind;
  std::uint16_t layer;
  std::uint64_t where;

  bool runs_on_in(const Piece& next) const {
    if (at.end != next.at.start || kind != next.kind || layer != next.layer) return false;
    switch (kind) {
      case SegmentMap::Kind::hole:
      case SegmentMap::Kind::zero: return true;
      case SegmentMap::Kind::plain: return where + (at.end - at.start) == next.where;
      case SegmentMap::Kind::compressed: return where == next.where;
    }
    return false;
  }
};

Result<std::vector<std::uint64_t>> read_entries(const Layer& layer, std::uint64_t offset, std::size_t count) {
  std::vector<std::uint64_t> entries(count);
  HF_CHECK(layer.read_stored(offset, std::as_writable_bytes(std::span{entries})));
  for (std::uint64_t& entry : entries) entry = swap_if_little(entry);
  return entries;
}

Result<std::uint64_t> table_offset(const Layer& layer, std::uint64_t l1_entry, std::uint64_t disk_offset) {
  const std::uint64_t offset = l1_entry & kOffsetMask;
  const std::uint64_t cluster = layer.geometry().cluster();
  if (offset % cluster != 0 || offset > layer.file_size() || cluster > layer.file_size() - offset)
    return fail_damaged(
        EIO, "{}: the L2 table for disk offset {} is at {}, unaligned or beyond the file's {} bytes",
        layer.name(), disk_offset, offset, layer.file_size());
  return offset;
}

// The entries of one layer for one segment. Tables are loaded when they are asked for.
class Entries {
 public:
  Entries(const Layer& layer, Range segment) : layer_(layer), segment_(segment) {}

  Result<> load_l1() {
    first_table_ = segment_.start / span();
    const std::uint64_t count = divide_up(segment_.end, span()) - first_table_;
    HF_TRY(l1_, read_entries(layer_, layer_.header().l1_offset + first_table_ * 8, count));
    return {};
  }

  std::uint64_t table_end(std::uint64_t offset) const { return round_down(offset, span()) + span(); }

  // Makes the table of `offset` the current one; false if the layer has no such table.
  Result<bool> load_table(std::uint64_t offset) {
    const std::uint64_t table = offset / span();
    const std::uint64_t l1_entry = l1_[table - first_table_];
    if ((l1_entry & kOffsetMask) == 0) return false;
    if (loaded_ == table) return true;
    HF_TRY(const std::uint64_t at, table_offset(layer_, l1_entry, offset));
    const Geometry& geometry = layer_.geometry();
    const std::uint64_t table_start = table * span();
    first_cluster_ = std::max(segment_.start, table_start) >> geometry.bits;
    const std::uint64_t end = divide_up(std::min(segment_.end, table_start + span()), geometry.cluster());
    HF_TRY(entries_, read_entries(layer_, at + (first_cluster_ - (table_start >> geometry.bits)) * 8,
                                  end - first_cluster_));
    loaded_ = table;
    return true;
  }

  std::uint64_t entry(std::uint64_t cluster) const { return entries_[cluster - first_cluster_]; }
  // Returns the first cluster in [cluster, end) for which the current table has an entry; otherwise `end`.
  std::uint64_t next_entry(std::uint64_t cluster, std::uint64_t end) const {
    while (cluster < end && entry(cluster) == 0) ++cluster;
    return cluster;
  }

 private:
  std::uint64_t span() const { return layer_.geometry().table_span(); }

  const Layer& layer_;
  const Range segment_;
  std::uint64_t first_table_ = 0;
  std::vector<std::uint64_t> l1_;
  std::uint64_t loaded_ = UINT64_MAX;
  std::uint64_t first_cluster_ = 0;
  std::vector<std::uint64_t> entries_;
};

// Returns what an entry says of `at`, a range within one cluster. The kind `hole` means that the layer has no
// entry.
Result<Piece> interpret(const Layer& layer, std::uint16_t number, std::uint64_t entry, Range at) {
  const std::uint64_t cluster = layer.geometry().cluster();
  const std::uint64_t cluster_start = round_down(at.start, cluster);
  if (entry & kCompressed) {
    if ((entry & kCopied) || layer.geometry().slot(entry).offset >= layer.file_size())
      return fail_damaged(EIO, "{}: the compressed cluster at disk offset {} has the invalid entry {:#x}",
                          layer.name(), cluster_start, entry);
    return Piece{at, Kind::compressed, number, entry};
  }
  if (entry & kReadsZero) {
    if (layer.header().version < 3)
      return fail_damaged(
          EIO, "{}: the cluster at disk offset {} is marked as zeros, which version 2 does not support",
          layer.name(), cluster_start);
    return Piece{at, Kind::zero, number, 0};
  }
  const std::uint64_t offset = entry & kOffsetMask;
  if (offset == 0) return Piece{at, Kind::hole, number, 0};
  const std::uint64_t needed = std::min(cluster, layer.size() - cluster_start);
  if (offset % cluster != 0 || offset > layer.file_size() || needed > layer.file_size() - offset)
    return fail_damaged(EIO,
                        "{}: the cluster at disk offset {} is at {}, unaligned or beyond the file's {} bytes",
                        layer.name(), cluster_start, offset, layer.file_size());
  return Piece{at, Kind::plain, number, offset + (at.start - cluster_start)};
}

// Adds the layer's runs within the gaps to `pieces`. Leaves in `gaps` the ranges for the layers below.
Result<> look_into(const Layer& layer, std::uint16_t number, Range segment, std::vector<Range>& gaps,
                   std::vector<Piece>& pieces) {
  const std::uint64_t cluster = layer.geometry().cluster();
  std::vector<Range> left;
  Entries entries(layer, {segment.start, std::min(segment.end, layer.size())});
  HF_CHECK(entries.load_l1());
  for (const Range& gap : gaps) {
    for (std::uint64_t at = gap.start; at < gap.end;) {
      const std::uint64_t table_end = std::min(entries.table_end(at), gap.end);
      HF_TRY(const bool present, entries.load_table(at));
      if (!present) {
        append(left, {at, table_end});
        at = table_end;
        continue;
      }
      for (std::uint64_t end = 0; at < table_end; at = end) {
        // Most entries of an increment are empty, so they are skipped quickly.
        end = std::min(entries.next_entry(at / cluster, divide_up(table_end, cluster)) * cluster, table_end);
        if (end > at) {
          append(left, {at, end});
          continue;
        }
        end = std::min(round_down(at, cluster) + cluster, table_end);
        HF_TRY(const Piece piece, interpret(layer, number, entries.entry(at / cluster), {at, end}));
        if (piece.kind == SegmentMap::Kind::hole) {
          append(left, piece.at);
        } else if (!pieces.empty() && pieces.back().runs_on_in(piece)) {
          pieces.back().at.end = end;
        } else {
          pieces.push_back(piece);
        }
      }
    }
  }
  gaps = std::move(left);
  return {};
}

// Maps the gaps beyond `size` as holes: a layer that ends before them reads as zeros there and hides the
// layers below.
void cut_at(std::uint64_t size, std::vector<Range>& gaps, std::vector<Piece>& pieces) {
  std::vector<Range> left;
  for (const Range& gap : gaps) {
    const std::uint64_t cut = std::clamp(size, gap.start, gap.end);
    append(left, {gap.start, cut});
    if (cut < gap.end) pieces.push_back({{cut, gap.end}, SegmentMap::Kind::hole, 0, 0});
  }
  gaps = std::move(left);
}

}  // namespace

Result<std::shared_ptr<const SegmentMap>> SegmentMap::resolve(LayerSpan layers, std::uint64_t start,
                                                              std::uint64_t end) {
  std::vector<Piece> pieces;
  std::vector<Range> gaps{{start, end}};
  for (std::uint16_t number = 0; number < layers.size() && !gaps.empty(); ++number) {
    cut_at(layers[number]->size(), gaps, pieces);
    if (!gaps.empty()) HF_CHECK(look_into(*layers[number], number, {start, end}, gaps, pieces));
  }
  cut_at(0, gaps, pieces);
  std::ranges::sort(pieces, {}, [](const Piece& piece) { return piece.at.start; });

  std::vector<Run> runs;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (i != 0 && pieces[i - 1].runs_on_in(pieces[i])) {
      // The next piece is compared with this one, so this one must say where the joined run ends.
      pieces[i] = {
          {pieces[i - 1].at.start, pieces[i].at.end}, pieces[i].kind, pieces[i].layer, pieces[i - 1].where};
      continue;
    }
    runs.push_back({pieces[i].where, static_cast<std::uint32_t>(pieces[i].at.start - start), pieces[i].layer,
                    pieces[i].kind});
  }
  runs.shrink_to_fit();
  return std::make_shared<const SegmentMap>(std::move(runs), static_cast<std::uint32_t>(end - start));
}

std::size_t SegmentMap::find(std::uint32_t at) const {
  const auto after = std::ranges::upper_bound(runs_, at, {}, &Run::start);
  return static_cast<std::size_t>(after - runs_.begin()) - 1;
}

bool SegmentMap::has_compressed(std::uint32_t from, std::size_t length) const {
  for (std::size_t i = find(from); i < runs_.size() && runs_[i].start < from + length; ++i)
    if (runs_[i].kind == Kind::compressed) return true;
  return false;
}

Result<std::uint64_t> next_table(LayerSpan layers, std::uint64_t offset, std::uint64_t end) {
  constexpr std::uint64_t kFirstEntries = 16;  // most often the next table is near
  constexpr std::uint64_t kMostEntries = 8192;
  std::uint64_t seen = UINT64_MAX;  // the end of the smallest layer so far, which hides the layers below
  for (const auto& layer : layers) {
    const std::uint64_t span = layer->geometry().table_span();
    seen = std::min(seen, layer->size());
    std::uint64_t at_once = kFirstEntries;
    for (std::uint64_t table = offset / span; table * span < std::min(end, seen);) {
      const std::uint64_t count = std::min(at_once, divide_up(std::min(end, seen), span) - table);
      at_once = std::min(4 * at_once, kMostEntries);
      HF_TRY(const auto l1, read_entries(*layer, layer->header().l1_offset + table * 8, count));
      const auto found =
          std::ranges::find_if(l1, [](std::uint64_t entry) { return (entry & kOffsetMask) != 0; });
      table += static_cast<std::uint64_t>(found - l1.begin());
      if (found == l1.end()) continue;
      end = std::max(offset, table * span);
      break;
    }
  }
  return end;
}

}  // namespace holdfast::image
