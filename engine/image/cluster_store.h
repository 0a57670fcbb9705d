// Places a disk's clusters in an image.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"
#include "catalog/base/mutex.h"
#include "engine/image/codec.h"
#include "engine/image/format.h"
#include "engine/image/host_file.h"
#include "engine/image/packer.h"
#include "engine/image/tables.h"
#include "engine/image/writer.h"

namespace holdfast::image {

// Stores each cluster in the smallest of four ways: as a hole, an explicit zero, a compressed slot or a plain
// cluster. Any thread may store and zero within the open part of the disk. The other functions are for one
// thread, while no other thread calls. After an error no cluster may be stored.
class ClusterStore {
 public:
  ClusterStore(HostFile& host, Geometry geometry, const WriterOptions& options);

  // State that one storing thread keeps between its pieces; not shared.
  class Lane;
  Result<std::unique_ptr<Lane>> make_lane(std::size_t piece_bytes) const;

  // Stores whole clusters, at most one piece of the lane.
  Result<> store(std::uint64_t offset, ByteView clusters, Lane& lane);
  Result<> zero(std::uint64_t offset, std::uint64_t length);
  // Stores clusters without compressing them: whole plain ones, or one compressed slot that begins
  // `in_sector` bytes into a sector.
  Result<> store_plain(std::uint64_t offset, ByteView clusters);
  Result<> store_slot(std::uint64_t offset, ByteView slot, std::uint64_t in_sector);

  Result<> open(std::uint64_t offset);
  // Writes the tables of the disk below `end`. Every cluster below `end` has been stored.
  Result<> finish_below(std::uint64_t end);
  // Writes the last tables. Every cluster of the disk has been stored.
  Result<> finish();

  Bytes l1() const;
  std::uint64_t data_bytes() const;
  std::uint64_t zero_bytes() const;

 private:
  void compress(ByteView clusters, Lane& lane) const;
  Result<> place(std::uint64_t offset, ByteView clusters, Lane& lane) HF_REQUIRES(mutex_);
  Result<> place_zero(std::uint64_t offset) HF_REQUIRES(mutex_);
  // Returns the clusters' offset in the file.
  Result<std::uint64_t> place_plain(std::uint64_t offset, std::size_t count) HF_REQUIRES(mutex_);
  Result<> place_slot(std::uint64_t offset, ByteView slot, std::optional<std::uint64_t> in_sector,
                      std::vector<Packer::Run>& full) HF_REQUIRES(mutex_);
  Result<> write_runs(std::vector<Packer::Run>& full) HF_EXCLUDES(mutex_);
  Result<> close_run() HF_REQUIRES(mutex_);
  std::uint64_t disk_bytes(std::uint64_t offset) const;  // the disk's part of this cluster

  HostFile& host_;
  const Geometry geometry_;
  const WriterOptions options_;

  mutable Mutex mutex_;
  Tables tables_ HF_GUARDED_BY(mutex_);
  Packer packer_ HF_GUARDED_BY(mutex_);
  std::uint64_t data_bytes_ HF_GUARDED_BY(mutex_) = 0;
  std::uint64_t zero_bytes_ HF_GUARDED_BY(mutex_) = 0;
};

class ClusterStore::Lane {
 public:
  Lane(std::unique_ptr<Compressor> compressor, std::size_t piece_bytes)
      : compressor_(std::move(compressor)), compressed_(piece_bytes) {}

 private:
  friend class ClusterStore;
  struct Shape {
    enum { zero, plain, slot } kind = zero;
    std::size_t length = 0;  // only if it is a slot
  };
  struct PlainRun {
    std::uint64_t host = 0;
    ByteView clusters;
  };

  const std::unique_ptr<Compressor> compressor_;
  Bytes compressed_;           // slots of the piece, end to end
  std::vector<Shape> shapes_;  // one for each cluster of the piece
  std::vector<PlainRun> plain_runs_;
  std::vector<Packer::Run> packed_runs_;
};

}  // namespace holdfast::image
