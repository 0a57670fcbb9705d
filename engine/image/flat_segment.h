// One segment of a disk, as a flat image stores it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "catalog/base/error.h"
#include "engine/image/stack.h"

namespace holdfast::image {

// The segment's data: first its plain clusters, then its compressed ones, both in the disk's order. Each
// compressed cluster begins at a sector. Clusters that read as zeros are not stored.
class FlatSegment {
 public:
  struct Slot {
    std::uint64_t entry = 0;    // the L2 entry in its layer
    std::uint64_t at = 0;       // from the first slot on
    std::uint64_t length = 0;   // to the end of a sector, because entries count whole sectors
    std::uint32_t cluster = 0;  // from the segment's start
    std::uint16_t layer = 0;
  };

  // `segment_start` is the disk offset at which a segment begins.
  static Result<std::shared_ptr<const FlatSegment>> make(const Stack& stack, std::uint64_t segment_start);

  const std::vector<std::uint32_t>& plain() const { return plain_; }
  const std::vector<Slot>& slots() const { return slots_; }
  std::uint64_t slot_bytes() const { return slot_bytes_; }
  // The number of host clusters that the segment takes in the flat image.
  std::uint64_t host_clusters(const Geometry& geometry) const {
    return plain_.size() + divide_up(slot_bytes_, geometry.cluster());
  }
  std::size_t memory() const {
    return sizeof *this + plain_.capacity() * sizeof plain_[0] + slots_.capacity() * sizeof(Slot);
  }

 private:
  std::vector<std::uint32_t> plain_;  // cluster numbers from the segment's start
  std::vector<Slot> slots_;
  std::uint64_t slot_bytes_ = 0;
};

}  // namespace holdfast::image
