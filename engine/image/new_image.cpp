#include "engine/image/new_image.h"

#include <algorithm>
#include <bit>

namespace holdfast::image {

Result<Geometry> new_geometry(std::uint64_t virtual_size, std::uint32_t cluster_size) {
  if (!std::has_single_bit(cluster_size) || cluster_size < 1u << kMinClusterBits ||
      cluster_size > 1u << kMaxClusterBits)
    return fail(EINVAL, "cluster size is {}; it must be a power of two from 512 to 2097152", cluster_size);
  const Geometry geometry{static_cast<std::uint32_t>(std::countr_zero(cluster_size))};
  if (geometry.l1_entries(virtual_size) * 8 > kMaxL1Bytes)
    return fail(EINVAL, "a disk of {} bytes is too large for clusters of {}; choose larger ones",
                virtual_size, cluster_size);
  return geometry;
}

Header new_header(Geometry geometry, std::uint64_t virtual_size) {
  Header header;
  header.geometry = geometry;
  header.virtual_size = virtual_size;
  // An empty disk gets one entry, because a header needs a table to point at.
  header.l1_entries =
      static_cast<std::uint32_t>(std::max<std::uint64_t>(1, geometry.l1_entries(virtual_size)));
  return header;
}

Result<WriterSummary> complete(HostFile& host, Header header, Bytes l1) {
  HF_CHECK(host.sync());
  HF_TRY(header.l1_offset, host.append_table(std::move(l1)));
  HF_CHECK(host.settle(host.end()));
  HF_TRY(const HostFile::RefcountTable refcounts, host.append_refcounts());
  header.refcount_table_offset = refcounts.offset;
  header.refcount_table_clusters = refcounts.clusters;
  HF_CHECK(host.sync());
  HF_TRY(const Bytes cluster, print_header(header));
  return host.commit(cluster, header.id.value_or(ImageId{}));
}

}  // namespace holdfast::image
