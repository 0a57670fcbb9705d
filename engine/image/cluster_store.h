// The way of a disk's clusters into an image.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"
#include "engine/image/codec.h"
#include "engine/image/format.h"
#include "engine/image/host_file.h"
#include "engine/image/packer.h"
#include "engine/image/tables.h"
#include "engine/image/writer.h"

namespace holdfast::image {

// Each cluster is nothing, an explicit zero, a compressed slot or a plain cluster, whichever is least. Any
// thread may store and zero what is in the open part of the disk; the others are for one thread, while no
// other calls. After an error nothing more may be stored.
class ClusterStore {
 public:
  ClusterStore(HostFile& host, Geometry geometry, const WriterOptions& options);

  // What one storing thread keeps from piece to piece; not shared.
  class Lane;
  Result<std::unique_ptr<Lane>> make_lane(std::size_t piece_bytes) const;

  // Whole clusters, at most a lane's piece.
  Result<> store(std::uint64_t offset, ByteView clusters, Lane& lane);
  Result<> zero(std::uint64_t offset, std::uint64_t length);
  // As they are: whole plain clusters, and a compressed one that begins `in_sector` bytes into a sector.
  Result<> store_plain(std::uint64_t offset, ByteView clusters);
  Result<> store_slot(std::uint64_t offset, ByteView slot, std::uint64_t in_sector);

  Result<> open(std::uint64_t offset);
  // Everything below `end` has been stored.
  Result<> finish_below(std::uint64_t end);
  // Everything has been.
  Result<> finish();

  Bytes l1() const { return tables_.l1(); }
  std::uint64_t data_bytes() const { return data_bytes_; }
  std::uint64_t zero_bytes() const { return zero_bytes_; }

 private:
  void compress(ByteView clusters, Lane& lane) const;
  Result<> place(std::uint64_t offset, ByteView clusters, Lane& lane);
  Result<> place_zero(std::uint64_t offset);
  Result<std::uint64_t> place_plain(std::uint64_t offset, std::size_t count);  // where in the file
  Result<> place_slot(std::uint64_t offset, ByteView slot, std::optional<std::uint64_t> in_sector,
                      std::vector<Packer::Run>& full);
  Result<> write_runs(std::vector<Packer::Run>& full);
  Result<> close_run();
  std::uint64_t disk_bytes(std::uint64_t offset) const;  // how much of this cluster the disk has

  HostFile& host_;
  const Geometry geometry_;
  const WriterOptions options_;

  std::mutex mutex_;  // of all below
  Tables tables_;
  Packer packer_;
  std::uint64_t data_bytes_ = 0;
  std::uint64_t zero_bytes_ = 0;
};

class ClusterStore::Lane {
 public:
  Lane(std::unique_ptr<Compressor> compressor, std::size_t piece_bytes)
      : compressor_(std::move(compressor)), compressed_(piece_bytes) {}

 private:
  friend class ClusterStore;
  struct Shape {
    enum { zero, plain, slot } kind = zero;
    std::size_t length = 0;  // of a slot
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
