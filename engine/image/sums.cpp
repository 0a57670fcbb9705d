#include "engine/image/sums.h"

#if defined(__x86_64__)
#include <xxh_x86dispatch.h>  // chooses the widest vector instructions of this CPU
#else
#include <xxhash.h>
#endif

#include <algorithm>

#include "catalog/base/sha256.h"

namespace holdfast::image {
namespace {

constexpr std::string_view kSumsMagic = "HOLDSUMS";
constexpr std::uint32_t kSumsVersion = 1;
constexpr std::size_t kSummedHeader = 48;

}  // namespace

Sum sum_of(ByteView bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  Sum sum;
  static_assert(sizeof sum == sizeof canonical.digest);
  std::memcpy(sum.data(), canonical.digest, sizeof sum);
  return sum;
}

Bytes SumsHeader::print() const {
  Bytes bytes(kSumsHeaderBytes);
  std::ranges::copy(as_bytes(kSumsMagic), bytes.begin());
  store_be(bytes.data() + 8, kSumsVersion);
  store_be(bytes.data() + 12, static_cast<std::uint32_t>(geometry.cluster()));
  std::ranges::copy(id, bytes.begin() + 16);
  store_be(bytes.data() + 32, clusters);
  std::ranges::copy(sum_of(ByteView{bytes}.first(kSummedHeader)), bytes.begin() + kSummedHeader);
  return bytes;
}

Result<SumsHeader> SumsHeader::read(const File& sums) {
  std::array<std::byte, kSumsHeaderBytes> bytes;
  HF_TRY(const std::size_t got, sums.read_at(0, bytes));
  if (got != bytes.size() || std::memcmp(bytes.data(), kSumsMagic.data(), kSumsMagic.size()) != 0)
    return fail_damaged(EIO, "{} does not begin with the header of a checksum file", sums.name());
  if (!std::ranges::equal(sum_of(ByteView{bytes}.first(kSummedHeader)),
                          ByteView{bytes}.subspan(kSummedHeader)))
    return fail_damaged(EIO, "{}: the header does not match its own checksum", sums.name());
  if (const auto version = load_be<std::uint32_t>(bytes.data() + 8); version != kSumsVersion)
    return fail(EIO, "{} has version {}; only version {} is supported", sums.name(), version, kSumsVersion);
  SumsHeader header;
  const auto cluster_size = load_be<std::uint32_t>(bytes.data() + 12);
  header.geometry = Geometry{static_cast<std::uint32_t>(std::countr_zero(cluster_size))};
  if (header.geometry.bits < kMinClusterBits || header.geometry.bits > kMaxClusterBits ||
      !std::has_single_bit(cluster_size))
    return fail_damaged(EIO, "{} names a cluster size of {}; it must be a power of two from 512 to 2097152",
                        sums.name(), cluster_size);
  std::memcpy(header.id.data(), bytes.data() + 16, header.id.size());
  header.clusters = load_be<std::uint64_t>(bytes.data() + 32);
  return header;
}

Result<> SumsHeader::check_sizes(const File& image, const File& sums) const {
  const auto check = [](const File& file, std::uint64_t expected) -> Result<> {
    HF_TRY(const std::uint64_t size, file.size());
    if (size != expected)
      return fail_damaged(EIO, "{} has {} bytes; {} were written", file.name(), size, expected);
    return {};
  };
  HF_CHECK(check(sums, sum_offset(clusters)));
  return check(image, clusters << geometry.bits);
}

void SumsWriter::set(std::uint64_t cluster, const Sum& sum) {
  if (cluster - base_ >= window_.size()) window_.resize(cluster - base_ + 1);
  window_[cluster - base_] = sum;
}

Result<> SumsWriter::settle(std::uint64_t end) {
  const std::size_t count = end - base_;
  HF_CHECK(file_.write_at(sum_offset(base_), std::as_bytes(std::span{window_}.first(count))));
  window_.erase(window_.begin(), window_.begin() + static_cast<std::ptrdiff_t>(count));
  base_ = end;
  return {};
}

Result<std::string> SumsWriter::finish(const SumsHeader& header, const Sum& first) {
  Bytes head = header.print();
  head.insert(head.end(), first.begin(), first.end());
  HF_CHECK(file_.write_at(0, head));
  HF_CHECK(file_.sync_data());
  return sha256_hex(file_);
}

}  // namespace holdfast::image
