#include <algorithm>

#include "engine/image/header.h"
#include "engine/image/host_ranges.h"
#include "engine/image/layer_files.h"
#include "engine/image/sums.h"

namespace holdfast::image {
namespace {

// Fills all of `into`, or fails.
Result<> read_all(const File& file, std::uint64_t offset, ByteSpan into) {
  HF_TRY(const std::size_t got, file.read_at(offset, into));
  if (got != into.size()) return fail_damaged(EIO, "{} ends at {}", file.name(), offset + got);
  return {};
}

}  // namespace

Result<> verify_layer(const File& image, const File& sums, const Watch& watch) {
  return verify_punched_layer(image, sums, {}, watch);
}

Result<> verify_punched_layer(const File& image, const File& sums, std::span<const HostRange> hidden,
                              const Watch& watch) {
  HF_TRY(const SumsHeader header, SumsHeader::read(sums));
  HF_CHECK(header.check_sizes(image, sums));
  const std::uint64_t cluster = header.geometry.cluster();
  const std::uint64_t at_once =
      std::clamp<std::uint64_t>(256 * kKiB / cluster, 1, std::max<std::uint64_t>(header.clusters, 1));
  Bytes bytes(at_once * cluster);
  std::vector<Sum> recorded(at_once);
  for (std::uint64_t first = 0; first < header.clusters; first += at_once) {
    const std::size_t count = std::min(at_once, header.clusters - first);
    HF_CHECK(read_all(image, first * cluster, ByteSpan{bytes}.first(count * cluster)));
    HF_CHECK(read_all(sums, sum_offset(first), std::as_writable_bytes(std::span{recorded}.first(count))));
    for (std::size_t i = 0; i < count; ++i) {
      const ByteView found = ByteView{bytes}.subspan(i * cluster, cluster);
      const std::uint64_t offset = (first + i) * cluster;
      while (!hidden.empty() && hidden.front().offset + hidden.front().length <= offset)
        hidden = hidden.subspan(1);
      const bool may_be_gone = !hidden.empty() && hidden.front().offset <= offset;
      if (sum_of(found) != recorded[i] && !(may_be_gone && is_zero(found)))
        return fail_damaged(EIO, "{}: the {} bytes at {} are not what was written (checksum)", image.name(),
                            cluster, offset);
    }
    if (watch) HF_CHECK(watch(count * cluster));
  }
  HF_TRY(const Header found, read_header(image));
  if (found.geometry.bits != header.geometry.bits || found.id != header.id)
    return fail_damaged(EIO, "{} holds the checksums of another image than {}", sums.name(), image.name());
  return {};
}

}  // namespace holdfast::image
