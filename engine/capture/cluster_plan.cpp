#include "engine/capture/cluster_plan.h"

#include <algorithm>

namespace holdfast::capture {
namespace {

void append(std::vector<source::Range>& ranges, std::uint64_t begin, std::uint64_t end) {
  if (!ranges.empty() && ranges.back().offset + ranges.back().length == begin)
    ranges.back().length = end - ranges.back().offset;
  else
    ranges.push_back({begin, end - begin});
}

}  // namespace

ClusterPlan plan_clusters(std::span<const source::Extent> extents, std::uint32_t cluster_size,
                          std::uint64_t capacity, bool incremental) {
  ClusterPlan plan;
  const std::uint64_t unit = cluster_size;

  // State of the cluster in which the last extent ended, merged from its pieces so far.
  struct {
    bool changed = false;
    bool zero = true;
  } open;

  const auto settle = [&](std::uint64_t begin, std::uint64_t end, bool changed, bool zero) {
    end = std::min(end, capacity);
    if (!changed || begin >= end) return;
    if (!zero)
      append(plan.read, begin, end);
    else if (incremental)
      append(plan.zero, begin, end);
  };

  for (const source::Extent& extent : extents) {
    std::uint64_t at = extent.offset;
    const std::uint64_t end = extent.offset + extent.length;
    while (at < end) {
      const std::uint64_t cluster = round_down(at, unit);
      const std::uint64_t cluster_end = std::min(cluster + unit, capacity);
      if (at == cluster && end >= cluster_end) {  // all whole clusters of the extent at once
        const std::uint64_t stop = end == capacity ? end : round_down(end, unit);
        settle(at, stop, extent.changed, extent.zero);
        at = stop;
        continue;
      }
      open.changed |= extent.changed;
      open.zero &= extent.zero;
      at = std::min(end, cluster_end);
      if (at == cluster_end) {
        settle(cluster, cluster_end, open.changed, open.zero);
        open = {};
      }
    }
  }
  return plan;
}

}  // namespace holdfast::capture
