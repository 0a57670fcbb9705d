// From what a source says of an area to what must be done with each cluster of it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/sources/driver.h"

namespace holdfast::capture {

// Both in whole clusters (the last one may be cut off at the disk's end), ascending, neighbours joined.
struct ClusterPlan {
  std::vector<source::Range> read;
  std::vector<source::Range> zero;  // changed, and all of it reads as zeros
};

// `extents` cover an area that begins at a cluster and ends at one or at the disk's end. A cluster that no
// change touches is left out; so is, in a full, one that is all zeros.
ClusterPlan plan_clusters(std::span<const source::Extent> extents, std::uint32_t cluster_size,
                          std::uint64_t capacity, bool incremental);

}  // namespace holdfast::capture
