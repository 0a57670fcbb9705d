// The stack as it is: layers, the maps merged from them, and what was read and checked.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/image/layer.h"
#include "engine/image/lru.h"
#include "engine/image/read_ahead.h"
#include "engine/image/segment_map.h"
#include "engine/image/stack.h"
#include "engine/image/writer.h"

namespace holdfast::image {

// The one kind of stack that there is; what makes images of stacks looks into it.
class LayeredStack final : public Stack, public std::enable_shared_from_this<LayeredStack> {
 public:
  static constexpr std::uint64_t kSegment = Writer::kSegment;
  static constexpr std::size_t kCachedBytes = 24 * kMiB;  // clusters and sums, read and checked
  static constexpr std::size_t kCachedMaps = 8 * kMiB;

  // Newest first. `below` says whether the last one rests on something that is not among them: then a hole
  // is what only that can tell.
  enum class Below { nothing, more };
  static Result<std::shared_ptr<LayeredStack>> open(std::vector<LayerFiles> files, Below below);

  std::uint64_t size() const override { return layers_.front()->size(); }
  std::uint32_t cluster_size() const override {
    return static_cast<std::uint32_t>(layers_.front()->geometry().cluster());
  }
  Result<> read(std::uint64_t offset, ByteSpan into) const override;
  Result<ReadExtent> extent(std::uint64_t offset, std::uint64_t at_most) const override;

  const std::vector<std::unique_ptr<Layer>>& layers() const { return layers_; }
  // At most the above, or one thing that is larger.
  std::size_t cached() const { return memory_.cache.memory() + maps_.memory(); }
  // The map of the segment that `offset` is in.
  Result<std::shared_ptr<const SegmentMap>> segment(std::uint64_t offset) const;

 private:
  LayeredStack() = default;

  // Unpacks what a sequential reader who wants this now will ask for next, in other threads.
  void read_ahead(std::uint64_t offset, std::uint64_t length) const;
  void unpack(std::uint64_t offset, std::uint64_t end) const;

  Result<> read_in_segment(const SegmentMap& map, std::uint64_t segment_start, std::uint32_t from,
                           ByteSpan into) const;
  Result<> read_run(const SegmentMap::Run& run, std::uint64_t segment_start, std::uint32_t from,
                    ByteSpan into) const;

  mutable LayerMemory memory_{kCachedBytes};
  std::vector<std::unique_ptr<Layer>> layers_;  // they use the cache
  mutable Lru<std::uint64_t, SegmentMap, std::hash<std::uint64_t>> maps_{kCachedMaps};
  mutable SequentialReads sequential_reads_;  // of what is compressed
};

}  // namespace holdfast::image
