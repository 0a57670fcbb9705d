#include "engine/sources/qmp/erring_reader.h"

#include <algorithm>

#include "engine/sources/nbd/extents.h"

namespace holdfast::source::qmp {
namespace {

std::uint64_t end_of(const Extent& extent) { return extent.offset + extent.length; }

// Marks as zero what is zero in both lists. All three cover the same range.
std::vector<Extent> with_zeros(const std::vector<Extent>& extents, const std::vector<Extent>& disk,
                               const std::vector<Extent>& scratch) {
  std::vector<Extent> all;
  auto in_disk = disk.begin(), in_scratch = scratch.begin();
  for (const Extent& extent : extents)
    for (std::uint64_t at = extent.offset; at < end_of(extent);) {
      const std::uint64_t end = std::min({end_of(extent), end_of(*in_disk), end_of(*in_scratch)});
      const Extent piece{.offset = at,
                         .length = end - at,
                         .zero = in_disk->zero && in_scratch->zero,
                         .changed = extent.changed};
      nbd::append(all, {&piece, 1});
      at = end;
      if (end_of(*in_disk) == at) ++in_disk;
      if (end_of(*in_scratch) == at) ++in_scratch;
    }
  return all;
}

}  // namespace

// QEMU copies a cluster before the guest's write or discard reaches the disk. So an answer of the scratch
// image vouches for every earlier answer of the disk.
Result<std::vector<Extent>> ErringReader::extents(std::uint64_t offset, std::uint64_t length) {
  HF_TRY(const auto disk, disk_->extents(offset, length));
  HF_TRY(const auto scratch, scratch_->extents(offset, length));
  HF_TRY(const auto frozen, frozen_->extents(offset, length));
  return with_zeros(frozen, disk, scratch);
}

}  // namespace holdfast::source::qmp
