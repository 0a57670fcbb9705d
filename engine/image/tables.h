// The L2 and L1 tables of an image being written.
#pragma once

#include <cstdint>
#include <vector>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"
#include "engine/image/format.h"
#include "engine/image/host_file.h"

namespace holdfast::image {

// Holds the L2 entries of one group: a segment, or what one L2 table spans when that is more (clusters
// above 64 KiB). Not for several threads at once.
class Tables {
 public:
  Tables(Geometry geometry, std::uint64_t virtual_size);

  // Makes room for what is at `offset`; an earlier group is written.
  Result<> open(std::uint64_t offset, HostFile& host);
  // EINVAL when the cluster has an entry already. It is in the open group.
  Result<> set(std::uint64_t cluster, std::uint64_t entry);
  // Writes the open group when nothing of it lies at or beyond `offset`.
  Result<> finish_below(std::uint64_t offset, HostFile& host);

  Bytes l1() const;

 private:
  Result<> write_group(HostFile& host);

  const Geometry geometry_;
  const std::uint64_t virtual_size_;
  const std::uint64_t group_clusters_;
  std::vector<std::uint64_t> l1_;
  std::uint64_t group_first_ = 0;       // cluster of the disk
  std::vector<std::uint64_t> entries_;  // of the open group; empty: none is open
};

}  // namespace holdfast::image
