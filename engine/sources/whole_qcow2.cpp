#include "engine/sources/whole_qcow2.h"

#include "engine/image/format.h"
#include "engine/image/header.h"

namespace holdfast::source {
namespace {

Result<Bytes> read_table(const File& file, std::uint64_t offset, std::uint64_t length) {
  Bytes table(length);
  HF_TRY(const std::size_t got, file.read_at(offset, table));
  table.resize(round_down(got, sizeof(std::uint64_t)));
  return table;
}

// Returns the file offset of the cluster that an L2 entry refers to; 0 if there is none.
std::uint64_t offset_of_entry(std::uint64_t entry, image::Geometry geometry) {
  if ((entry & image::kCompressed) != 0) return geometry.slot(entry).offset;
  return (entry & image::kReadsZero) != 0 ? 0 : entry & image::kOffsetMask;
}

// Holds for an image in use, too, because QEMU writes a cluster before the entry that refers to it. But the
// file may grow while its tables are read.
Result<> check_reaches(const File& file, std::uint64_t place) {
  HF_TRY(const std::uint64_t size, file.size());
  if (place < size) return {};
  return fail(EIO,
              "the file ends at {}, but its tables refer to a cluster at {}: it was cut off, and the lost "
              "clusters would read as zeros",
              size, place);
}

Result<> check_clusters(const File& file, const image::Header& header, const Cancel* cancel) {
  HF_TRY(const Bytes l1, read_table(file, header.l1_offset, std::uint64_t{header.l1_entries} * 8));
  HF_TRY(std::uint64_t size, file.size());
  for (std::size_t i = 0; i < l1.size(); i += 8) {
    const std::uint64_t l2_offset = load_be<std::uint64_t>(&l1[i]) & image::kOffsetMask;
    if (l2_offset == 0) continue;
    if (cancel != nullptr && cancel->requested()) return fail(ECANCELED, "cancelled");
    if (l2_offset >= size) HF_CHECK(check_reaches(file, l2_offset));
    HF_TRY(const Bytes l2, read_table(file, l2_offset, header.geometry.cluster()));
    for (std::size_t j = 0; j < l2.size(); j += 8)
      if (const auto place = offset_of_entry(load_be<std::uint64_t>(&l2[j]), header.geometry);
          place >= size) {
        HF_CHECK(check_reaches(file, place));
        HF_TRY(size, file.size());
      }
  }
  return {};
}

}  // namespace

Result<> check_holds_all_clusters(const File& image, const Cancel* cancel) {
  const auto header = image::read_header(image);
  if (!header) return {};
  return check_clusters(image, *header, cancel);
}

}  // namespace holdfast::source
