// One image of a stack. Stored bytes are checked before they are used (law 13).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "catalog/base/bytes.h"
#include "catalog/base/disk.h"
#include "catalog/base/error.h"
#include "engine/image/cluster_pool.h"
#include "engine/image/header.h"
#include "engine/image/layer_files.h"
#include "engine/image/shared_cache.h"
#include "engine/image/sums.h"

namespace holdfast::image {

// A key of the cache that the layers of a stack share.
struct CacheKey {
  enum class Kind : std::uint32_t { stored_cluster, sums, decompressed_cluster };
  Kind kind;
  std::uint32_t layer;
  std::uint64_t number;

  bool operator==(const CacheKey&) const = default;
};
struct CacheKeyHash {
  std::size_t operator()(const CacheKey& key) const {
    constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
    return (key.number * 4 + static_cast<std::uint64_t>(key.kind) + (std::uint64_t{key.layer} << 40)) * kOdd;
  }
};

// Memory that the layers of a stack share.
struct LayerMemory {
  explicit LayerMemory(std::size_t most_cached) : cache(most_cached) {}

  ClusterPool pool;
  SharedCache<CacheKey, Bytes, CacheKeyHash> cache;  // checked clusters and sums
};

// Immutable; any thread may call.
class Layer {
 public:
  // `number` is the layer's number in the stack. `memory` outlives the layer.
  static Result<std::unique_ptr<Layer>> open(LayerFiles files, std::uint32_t number, LayerMemory& memory);

  const Header& header() const { return header_; }
  const Geometry& geometry() const { return header_.geometry; }
  std::uint64_t size() const { return header_.virtual_size; }
  std::uint64_t file_size() const { return file_size_; }
  const std::string& name() const { return files_.image->name(); }

  // Returns the position of a compressed cluster in the file; `entry` is its L2 entry.
  Geometry::Slot stored_slot(std::uint64_t entry) const;

  // Reads bytes of the file. With sums, checks each host cluster that the range touches: EIO if one differs.
  Result<> read_stored(std::uint64_t offset, ByteSpan into) const;
  // Reads a part of the compressed cluster that begins at `cluster_offset` of the disk; `entry` is its L2
  // entry.
  Result<> read_compressed(std::uint64_t cluster_offset, std::uint64_t entry, std::uint64_t from,
                           ByteSpan into) const;

  // Puts the unpacked cluster into the cache. read_compressed() reports an error, if there is one.
  void unpack(std::uint64_t cluster_offset, std::uint64_t entry) const;

 private:
  Layer(LayerFiles files, std::uint32_t number, LayerMemory& memory)
      : files_(std::move(files)), number_(number), memory_(memory) {}

  using CachedBytes = Result<std::shared_ptr<const Bytes>>;

  Result<> read_header_and_sums();
  Result<> read_unchecked(std::uint64_t offset, ByteSpan into) const;
  CachedBytes checked_cluster(std::uint64_t host_cluster) const;
  Result<> check(std::uint64_t host_cluster, ByteView bytes) const;
  Result<Sum> recorded_sum(std::uint64_t host_cluster) const;
  CachedBytes unpacked_cluster(std::uint64_t cluster_offset, std::uint64_t entry) const;
  Result<> decompress_cluster(std::uint64_t cluster_offset, std::uint64_t entry, ByteSpan cluster) const;

  const LayerFiles files_;
  const std::uint32_t number_;
  LayerMemory& memory_;
  Header header_;
  std::uint64_t file_size_ = 0;
};

}  // namespace holdfast::image
