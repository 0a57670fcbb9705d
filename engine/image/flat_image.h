// The bytes of a flat image: computed headers and tables, and data read from the stack.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"
#include "engine/image/flat_layout.h"
#include "engine/image/flat_segment.h"
#include "engine/image/shared_cache.h"
#include "engine/image/stack.h"

namespace holdfast::image {

// Immutable; any thread may call. The layout grows with the disk; all other memory is bounded.
class FlatImage {
 public:
  FlatImage(std::shared_ptr<const Stack> stack, FlatLayout layout)
      : stack_(std::move(stack)), layout_(std::move(layout)) {}

  std::uint64_t size() const { return layout_.offset_of(layout_.end); }
  // Fills all of `into`, which must lie in the image, or fails.
  Result<> read(std::uint64_t offset, ByteSpan into) const;

 private:
  using Table = Result<Bytes>;
  std::uint64_t cluster() const { return layout_.geometry.cluster(); }

  // Reads from the beginning of what is wanted; returns the number of bytes.
  Result<std::size_t> read_table(std::uint64_t offset, ByteSpan into) const;
  Result<std::size_t> read_data(std::uint64_t offset, ByteSpan into) const;
  Result<std::size_t> read_plain(const FlatSegment& segment, std::uint64_t segment_start, std::uint64_t at,
                                 ByteSpan into) const;
  Result<std::size_t> read_slots(const FlatSegment& segment, std::uint64_t at, ByteSpan into) const;

  // Each computes one cluster of the header or of a table.
  Table compute(std::uint64_t number) const;
  Table header() const;
  Table l1(std::uint64_t part) const;
  Table refcount_table(std::uint64_t part) const;
  Table refcount_block(std::uint64_t block) const;
  Table l2(std::uint64_t table) const;

  Result<std::shared_ptr<const FlatSegment>> segment(const FlatLayout::Chunk& chunk) const;

  const std::shared_ptr<const Stack> stack_;
  const FlatLayout layout_;
  using ByNumber = std::hash<std::uint64_t>;
  mutable SharedCache<std::uint64_t, Bytes, ByNumber> tables_{4 * kMiB};
  mutable SharedCache<std::uint64_t, FlatSegment, ByNumber> segments_{4 * kMiB};
};

}  // namespace holdfast::image
