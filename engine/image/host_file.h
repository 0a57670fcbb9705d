// The image file as it grows.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "catalog/base/bytes.h"
#include "catalog/base/disk.h"
#include "catalog/base/error.h"
#include "engine/image/format.h"
#include "engine/image/sums.h"

namespace holdfast::image {

// Hands out host clusters at the end of the file, counts references to them, and writes and sums what
// goes into them. Cluster 0 stays a hole until commit(). Refcount blocks are written as soon as the
// stretch that they count is settled, so that only the stretch that grows is in memory.
//
// Any thread may take, refer and write; the others are for one thread, while no other calls.
class HostFile {
 public:
  // Without sums nothing is summed. The files outlive this.
  HostFile(File& image, File* sums, Geometry geometry);

  std::uint64_t take(std::uint64_t clusters);              // their offset; no reference yet
  void refer(std::uint64_t offset, std::uint64_t length);  // one more to each cluster that this touches
  std::uint64_t end() const;
  void give_back(std::uint64_t from);  // the end again; nothing from there on was referred to or written

  // `sparse` leaves pages of zeros as holes.
  enum class Fill { dense, sparse };
  Result<> write(std::uint64_t offset, ByteView clusters, Fill fill);
  // Takes, refers and writes in one; padded to whole clusters. Says where.
  Result<std::uint64_t> append_table(Bytes table);

  // Nothing below `end` will be written or referred to any more.
  Result<> settle(std::uint64_t end);

  struct RefcountTable {
    std::uint64_t offset = 0;
    std::uint32_t clusters = 0;
  };
  // The last thing to be taken.
  Result<RefcountTable> append_refcounts();
  Result<> sync() { return image_.sync_data(); }
  // The header cluster, which makes an image of the file; the sums are durable before it. Says what the files
  // have come to.
  Result<WriterSummary> commit(ByteView header, const ImageId& id);

 private:
  Bytes refcount_block(std::uint64_t first_cluster) const;

  File& image_;
  File* const sums_file_;  // may be null
  const Geometry geometry_;

  mutable std::mutex mutex_;  // of all below
  std::optional<SumsWriter> sums_;
  std::uint64_t clusters_ = 1;         // the file's, so far
  std::uint64_t counts_base_ = 0;      // the cluster that counts_ begins with
  std::vector<std::uint16_t> counts_;  // references
  std::vector<std::uint64_t> blocks_;  // offsets of the refcount blocks written, from cluster 0 on
};

}  // namespace holdfast::image
