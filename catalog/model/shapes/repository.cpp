#include "catalog/model/shapes/definition.h"

namespace holdfast::json {

template <>
const Shape<RepositoryDefinition>& shape() {
  using D = RepositoryDefinition;
  static constexpr int kMostOfDeflate = 9;
  static const Rule<D> deflate_levels{
      {{"if", {{"properties", {{"compression", {{"const", "deflate"}}}}}, {"required", {"compression"}}}},
       {"then", {{"properties", {{"compression_level", {{"maximum", kMostOfDeflate}}}}}}}},
      [](const D& definition) -> Result<> {
        if (definition.compression == Compression::deflate && definition.compression_level > kMostOfDeflate)
          return fail(EINVAL, "field \"compression_level\" is {}; for \"deflate\" it must be from 1 to {}",
                      definition.compression_level, kMostOfDeflate);
        return {};
      }};
  static const Shape<D> repository{
      "A place where points are kept.",
      {
          description<D>(),
          tags<D>(),
          field("path", &D::path, absolute_path(), "The directory of this host where it lies.",
                Need::required, Setter::root),
          word_of_the_write("create", &D::create,
                            "Makes the directory, whose parent must exist, if this write names a new path. "
                            "Neither stored nor shown."),
          field("compression", &D::compression, word<Compression>(), "Of the clusters of new points."),
          field("compression_level", &D::compression_level, integer(1, 22),
                "From quick to small: 1 to 22 for zstd, 1 to 9 for deflate."),
          field("cluster_size", &D::cluster_size, power_of_two(4096, 2097152),
                "Of new images, in bytes. A change makes the next points full ones."),
          field("max_jobs", &D::max_jobs, integer(1, 1000),
                "How many jobs may use it at once; the others wait."),
          field("bandwidth", &D::bandwidth, optional(size(1, kMostBytes)),
                "How many bytes a second all its backups may read together; null: as many as they can."),
          field("reserve", &D::reserve_percent, percent(),
                "So much of its file system backups leave free: where less is, a run ends."),
          field("read_only", &D::read_only, boolean(), "Nothing is written or deleted while it is true."),
      },
      {deflate_levels}};
  return repository;
}

}  // namespace holdfast::json

namespace holdfast {
HF_DEFINITION(RepositoryDefinition);
}
