// The numbers of the qcow2 format, and the meaning of table entries.
#pragma once

#include <cstdint>

#include "catalog/base/bytes.h"

namespace holdfast::image {

constexpr std::uint32_t kMinClusterBits = 9;
constexpr std::uint32_t kMaxClusterBits = 21;
// QEMU opens no image with larger tables.
constexpr std::uint64_t kMaxL1Bytes = 32 * kMiB;
constexpr std::uint64_t kMaxRefcountTableBytes = 8 * kMiB;

// The offset in entries of both tables; the other bits are flags or reserved.
constexpr std::uint64_t kOffsetMask = 0x00fffffffffffe00;
// In L1 and standard L2 entries: the refcount is exactly one, so QEMU may write in place.
constexpr std::uint64_t kCopied = std::uint64_t{1} << 63;
constexpr std::uint64_t kCompressed = std::uint64_t{1} << 62;
constexpr std::uint64_t kReadsZero = 1;  // version 3; overrides an offset and the backing file

// QEMU's unit for disk sizes and for the lengths of compressed clusters.
constexpr std::uint64_t kSector = 512;

// Quantities that follow from the cluster size.
struct Geometry {
  std::uint32_t bits = 16;

  std::uint64_t cluster() const { return std::uint64_t{1} << bits; }
  std::uint64_t table_entries() const { return cluster() / 8; }  // entries of one L2 table
  // The bytes of the disk that one L2 table maps.
  std::uint64_t table_span() const { return cluster() * table_entries(); }
  std::uint64_t l1_entries(std::uint64_t virtual_size) const { return divide_up(virtual_size, table_span()); }
  std::uint64_t counts_per_block() const { return cluster() / 2; }  // refcounts of 16 bits each

  // A compressed cluster is `length` bytes at any offset. Its L2 entry counts the 512-byte sectors after the
  // first one, so its end is known to the sector only.
  std::uint32_t slot_shift() const { return 70 - bits; }
  std::uint64_t slot_entry(std::uint64_t offset, std::uint64_t length) const {
    const std::uint64_t more_sectors = (offset + length - 1) / kSector - offset / kSector;
    return kCompressed | more_sectors << slot_shift() | offset;
  }
  struct Slot {
    std::uint64_t offset, length;
  };
  Slot slot(std::uint64_t entry) const {
    const std::uint64_t offset = entry & ((std::uint64_t{1} << slot_shift()) - 1);
    const std::uint64_t more_sectors = (entry & (kCompressed - 1)) >> slot_shift();
    return {offset, (more_sectors + 1) * kSector - offset % kSector};
  }
};

// The size of the refcounts that count all clusters of a file, including their own.
struct RefcountNeed {
  std::uint64_t blocks = 0;
  std::uint64_t table_clusters = 0;
};
// `clusters` is the number of all other clusters, including those of `have`, which exist already.
RefcountNeed refcount_need(Geometry geometry, std::uint64_t clusters, RefcountNeed have);

}  // namespace holdfast::image
