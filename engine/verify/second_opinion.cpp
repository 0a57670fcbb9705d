#include "engine/verify/second_opinion.h"

#include <algorithm>

namespace holdfast::verify {
namespace {

constexpr std::uint64_t kSector = 512;

}  // namespace

Result<> compare(const image::Stack& ours, source::nbd::ServedImage& theirs, const image::Watch& watch) {
  const std::uint64_t size = ours.size();
  // QEMU rounds a disk up to sectors, so bytes of the last sector beyond the disk don't count.
  if (theirs.size() != round_up(size, kSector))
    return fail_damaged(EIO, "QEMU finds a disk of {} bytes where Holdfast finds one of {}", theirs.size(),
                        size);
  Bytes here(kMiB), there(kMiB);
  for (std::uint64_t at = 0; at < size;) {
    HF_TRY(const image::ReadExtent extent, ours.extent(at, size - at));
    const bool data = extent.kind == image::ReadExtent::Kind::data;
    if (!data) {
      HF_TRY(const std::uint64_t zeros, theirs.zeros(at, extent.length));
      HF_CHECK(watch(0));
      at += zeros;
      if (zeros > 0) continue;
    }
    const std::size_t length = std::min<std::uint64_t>(extent.length, kMiB);
    HF_CHECK(ours.read(at, ByteSpan{here}.first(length)));
    HF_CHECK(theirs.read(at, ByteSpan{there}.first(length)));
    const auto differs =
        std::mismatch(here.begin(), here.begin() + static_cast<std::ptrdiff_t>(length), there.begin());
    if (const auto offset = static_cast<std::size_t>(differs.first - here.begin()); offset < length)
      return fail_damaged(EIO, "QEMU and Holdfast read different bytes at offset {} of the disk",
                          at + offset);
    HF_CHECK(watch(data ? length : 0));
    at += length;
  }
  return {};
}

}  // namespace holdfast::verify
