// The L2 and L1 tables of an image being written.
#pragma once

#include <cstdint>
#include <vector>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"
#include "engine/image/format.h"
#include "engine/image/host_file.h"

namespace holdfast::image {

// Holds the L2 entries of one group: a segment, or the span of one L2 table if that is larger (clusters above
// 64 KiB). One thread at a time.
class Tables {
 public:
  Tables(Geometry geometry, std::uint64_t virtual_size);

  // Opens the group of `offset`, after writing an earlier one.
  Result<> open(std::uint64_t offset, HostFile& host);
  // EINVAL if the cluster has an entry already. The cluster is in the open group.
  Result<> set(std::uint64_t cluster, std::uint64_t entry);
  // Writes the open group if it ends at or below `offset`.
  Result<> finish_below(std::uint64_t offset, HostFile& host);

  Bytes l1() const;

 private:
  Result<> write_group(HostFile& host);

  const Geometry geometry_;
  const std::uint64_t virtual_size_;
  const std::uint64_t group_clusters_;
  std::vector<std::uint64_t> l1_;
  std::uint64_t group_first_ = 0;       // the first cluster of the open group
  std::vector<std::uint64_t> entries_;  // the open group; empty: none is open
};

}  // namespace holdfast::image
