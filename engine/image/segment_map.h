// Maps one segment of a disk to the layers that have its bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "catalog/base/error.h"
#include "engine/image/layer.h"

namespace holdfast::image {

using LayerSpan = std::span<const std::unique_ptr<Layer>>;  // newest first

// The map counts in bytes, because layers may differ in cluster size. Its runs follow one another without a
// gap.
class SegmentMap {
 public:
  enum class Kind : std::uint8_t { hole, zero, plain, compressed };
  struct Run {
    std::uint64_t where = 0;  // plain: the offset in the file; compressed: the L2 entry
    std::uint32_t start = 0;  // from the segment's start
    std::uint16_t layer = 0;
    Kind kind = Kind::hole;
  };
  static_assert(sizeof(Run) == 16);

  // `runs` cover the segment from its start to `length`.
  SegmentMap(std::vector<Run> runs, std::uint32_t length) : runs_(std::move(runs)), length_(length) {}

  // Reads the layers' tables, newest first, until every byte is mapped. [start, end) is at most a segment,
  // and lies within the newest layer's disk.
  static Result<std::shared_ptr<const SegmentMap>> resolve(LayerSpan layers, std::uint64_t start,
                                                           std::uint64_t end);

  std::size_t find(std::uint32_t at) const;  // the index of the run that has this byte
  bool has_compressed(std::uint32_t from, std::size_t length) const;
  const std::vector<Run>& runs() const { return runs_; }
  std::uint32_t end_of(std::size_t run) const {
    return run + 1 < runs_.size() ? runs_[run + 1].start : length_;
  }
  std::size_t memory() const { return sizeof *this + runs_.capacity() * sizeof(Run); }

 private:
  std::vector<Run> runs_;
  std::uint32_t length_;
};

// Returns the disk offset, at least `offset` and at most `end`, of the first L2 table of any layer that may
// have entries. Everything before it is a hole.
Result<std::uint64_t> next_table(LayerSpan layers, std::uint64_t offset, std::uint64_t end);

}  // namespace holdfast::image
