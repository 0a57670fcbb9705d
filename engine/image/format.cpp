#include "engine/image/format.h"

#include <algorithm>

namespace holdfast::image {

RefcountNeed refcount_need(Geometry geometry, std::uint64_t clusters, RefcountNeed have) {
  RefcountNeed need = have;
  for (;;) {
    const std::uint64_t total =
        clusters + (need.blocks - have.blocks) + (need.table_clusters - have.table_clusters);
    RefcountNeed more;
    more.blocks = std::max(need.blocks, divide_up(total, geometry.counts_per_block()));
    more.table_clusters = std::max(need.table_clusters, divide_up(more.blocks * 8, geometry.cluster()));
    if (more.blocks == need.blocks && more.table_clusters == need.table_clusters) return need;
    need = more;
  }
}

}  // namespace holdfast::image
