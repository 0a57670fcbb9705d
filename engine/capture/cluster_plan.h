// Turns what a source says of an area into what must be done with each cluster.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/sources/driver.h"

namespace holdfast::capture {

// Ranges of whole clusters, ascending and joined. The last one may end in mid-cluster, with the disk.
struct ClusterPlan {
  std::vector<source::Range> read;
  std::vector<source::Range> zero;  // changed, and reads as zeros
};

// `extents` cover an area from a cluster's start to a cluster's or the disk's end. Clusters without a change
// are left out; in a full, clusters of zeros as well.
ClusterPlan plan_clusters(std::span<const source::Extent> extents, std::uint32_t cluster_size,
                          std::uint64_t capacity, bool incremental);

}  // namespace holdfast::capture
