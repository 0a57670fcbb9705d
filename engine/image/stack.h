// Reads a chain of qcow2 layers as one disk: the layers, the maps merged from them, and caches.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/image/layer.h"
#include "engine/image/read_ahead.h"
#include "engine/image/segment_map.h"
#include "engine/image/shared_cache.h"
#include "engine/image/writer.h"

namespace holdfast::image {

struct ReadExtent {
  enum class Kind { data, zero, hole };  // zero: an explicit zero; hole: no layer has an entry
  Kind kind = Kind::hole;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::size_t layer = 0;  // only for data and zero: 0 is the newest
};

// Immutable; any thread may call. Memory is bounded, whatever the disk's size and the chain's length.
class Stack final : public std::enable_shared_from_this<Stack> {
 public:
  static constexpr std::uint64_t kSegment = Writer::kSegment;
  static constexpr std::size_t kCachedBytes = 24 * kMiB;  // checked clusters and sums
  static constexpr std::size_t kCachedMaps = 8 * kMiB;

  // Newest layer first. `below` says whether the last one rests on a layer that is not given; holes then
  // belong to that layer. Refuses, with a sentence, images that it can't read correctly.
  enum class Below { nothing, more };
  static Result<std::shared_ptr<Stack>> open(std::vector<LayerFiles> files, Below below = Below::nothing);

  std::uint64_t size() const { return layers_.front()->size(); }
  std::uint32_t cluster_size() const {  // the newest layer's
    return static_cast<std::uint32_t>(layers_.front()->geometry().cluster());
  }
  // Fills all of `into`, or fails: EIO, naming file and offset, if a stored cluster fails its checksum.
  // offset + into.size() must lie within the disk.
  Result<> read(std::uint64_t offset, ByteSpan into) const;
  // Returns the extent at `offset`, at most `at_most` long, with neighbours of one kind and layer joined.
  Result<ReadExtent> extent(std::uint64_t offset, std::uint64_t at_most) const;

  const std::vector<std::unique_ptr<Layer>>& layers() const { return layers_; }
  // The caches' size. It stays below kCachedBytes plus kCachedMaps, unless a single value is larger.
  std::size_t cached() const { return memory_.cache.memory() + maps_.memory(); }
  // Returns the map of the segment that contains `offset`.
  Result<std::shared_ptr<const SegmentMap>> segment(std::uint64_t offset) const;

 private:
  Stack() = default;

  // Unpacks, in other threads, the clusters that a sequential reader of this range will ask for next.
  void read_ahead(std::uint64_t offset, std::uint64_t length) const;
  void unpack(std::uint64_t offset, std::uint64_t end) const;

  Result<> read_in_segment(const SegmentMap& map, std::uint64_t segment_start, std::uint32_t from,
                           ByteSpan into) const;
  Result<> read_run(const SegmentMap::Run& run, std::uint64_t segment_start, std::uint32_t from,
                    ByteSpan into) const;

  mutable LayerMemory memory_{kCachedBytes};
  std::vector<std::unique_ptr<Layer>> layers_;  // after memory_, which they use
  mutable SharedCache<std::uint64_t, SegmentMap, std::hash<std::uint64_t>> maps_{kCachedMaps};
  mutable SequentialReads sequential_reads_;  // reads of compressed data
};

}  // namespace holdfast::image
