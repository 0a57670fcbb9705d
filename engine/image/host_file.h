// The image file while it grows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "catalog/base/bytes.h"
#include "catalog/base/disk.h"
#include "catalog/base/error.h"
#include "catalog/base/mutex.h"
#include "engine/image/format.h"
#include "engine/image/sums.h"

namespace holdfast::image {

// Hands out host clusters at the end of the file, counts references to them, writes them and keeps their
// sums. Cluster 0 stays a hole until commit(). A refcount block is written as soon as the stretch that it
// counts is settled, so memory holds only the growing stretch.
//
// Any thread may take, refer and write. The other functions are for one thread, while no other thread calls.
class HostFile {
 public:
  // `sums` may be null: then no sums are kept. Both files outlive this object.
  HostFile(File& image, File* sums, Geometry geometry);

  std::uint64_t take(std::uint64_t clusters);  // returns their offset; they have no references yet
  void refer(std::uint64_t offset, std::uint64_t length);  // adds a reference to each cluster of the range
  std::uint64_t end() const;
  void give_back(std::uint64_t from);  // shortens the file; nothing from there on was referred to or written

  // `sparse` leaves pages of zeros as holes.
  enum class Fill { dense, sparse };
  Result<> write(std::uint64_t offset, ByteView clusters, Fill fill);
  // Pads the table to whole clusters, takes them, refers to them and writes them. Returns the offset.
  Result<std::uint64_t> append_table(Bytes table);

  // Nothing below `end` will be written or referred to again; its refcounts and sums are written.
  Result<> settle(std::uint64_t end);

  struct RefcountTable {
    std::uint64_t offset = 0;
    std::uint32_t clusters = 0;
  };
  // Takes the last clusters of the file.
  Result<RefcountTable> append_refcounts();
  Result<> sync() { return image_.sync_data(); }
  // Syncs the sums, then writes and syncs the header cluster, which makes the file an image. Returns the
  // sizes.
  Result<WriterSummary> commit(ByteView header, const ImageId& id);

 private:
  // Returns the refcount block `index` blocks after those written.
  Bytes refcount_block(std::uint64_t index) const HF_REQUIRES(mutex_);
  // Takes the first block out of `counts_`; nullopt if its stretch does not end below `end`.
  std::optional<Bytes> take_refcount_block(std::uint64_t end) HF_EXCLUDES(mutex_);

  File& image_;
  File* const sums_file_;  // may be null
  const Geometry geometry_;

  mutable Mutex mutex_;
  std::optional<SumsWriter> sums_ HF_GUARDED_BY(mutex_);
  std::uint64_t clusters_ HF_GUARDED_BY(mutex_) = 1;         // the length so far
  std::uint64_t counts_base_ HF_GUARDED_BY(mutex_) = 0;      // the cluster that counts_ begins with
  std::vector<std::uint16_t> counts_ HF_GUARDED_BY(mutex_);  // the number of references to each cluster
  std::vector<std::uint64_t> blocks_;  // offsets of the written refcount blocks, from cluster 0 on
};

}  // namespace holdfast::image
