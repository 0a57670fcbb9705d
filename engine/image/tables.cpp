#include "engine/image/tables.h"

#include <algorithm>

#include "engine/image/writer.h"

namespace holdfast::image {
namespace {

Bytes big_endian(std::span<const std::uint64_t> values) {
  Bytes bytes(values.size() * 8);
  for (std::size_t i = 0; i < values.size(); ++i) store_be(bytes.data() + i * 8, values[i]);
  return bytes;
}

}  // namespace

Tables::Tables(Geometry geometry, std::uint64_t virtual_size)
    : geometry_(geometry),
      virtual_size_(virtual_size),
      group_clusters_(std::max(Writer::kSegment, geometry.table_span()) >> geometry.bits),
      l1_(std::max<std::uint64_t>(1, geometry.l1_entries(virtual_size))) {}

Result<> Tables::open(std::uint64_t offset, HostFile& host) {
  const std::uint64_t first = round_down(offset >> geometry_.bits, group_clusters_);
  if (!entries_.empty() && first == group_first_) return {};
  HF_CHECK(write_group(host));
  const std::uint64_t left = divide_up(virtual_size_, geometry_.cluster()) - first;
  entries_.assign(round_up(std::min(group_clusters_, left), geometry_.table_entries()), 0);
  group_first_ = first;
  return {};
}

Result<> Tables::set(std::uint64_t cluster, std::uint64_t entry) {
  std::uint64_t& slot = entries_[cluster - group_first_];
  if (slot != 0)
    return fail(EINVAL, "the cluster at disk offset {} came twice", cluster * geometry_.cluster());
  slot = entry;
  return {};
}

Result<> Tables::finish_below(std::uint64_t offset, HostFile& host) {
  const bool complete =
      (group_first_ + group_clusters_) * geometry_.cluster() <= offset || offset >= virtual_size_;
  return complete ? write_group(host) : Result<>{};
}

Result<> Tables::write_group(HostFile& host) {
  const std::uint64_t per_table = geometry_.table_entries();
  for (std::uint64_t at = 0; at < entries_.size(); at += per_table) {
    const auto table = std::span{entries_}.subspan(at, per_table);
    if (std::ranges::all_of(table, [](std::uint64_t entry) { return entry == 0; })) continue;
    HF_TRY(const std::uint64_t offset, host.append_table(big_endian(table)));
    l1_[(group_first_ + at) / per_table] = offset | kCopied;
  }
  entries_.clear();
  return {};
}

Bytes Tables::l1() const { return big_endian(l1_); }

}  // namespace holdfast::image
