#include "engine/image/mend.h"

#include <algorithm>

#include "catalog/base/sha256.h"
#include "engine/image/header.h"

namespace holdfast::image {
namespace {

constexpr std::uint64_t kMendedAtOnce = 256 * kKiB;

std::uint64_t clusters_at_once(const SumsHeader& header) {
  return std::max<std::uint64_t>(kMendedAtOnce >> header.geometry.bits, 1);
}

bool touches(std::span<const HostRange> ranges, std::uint64_t offset, std::uint64_t length) {
  const auto end_of = [](const HostRange& range) { return range.offset + range.length; };
  const auto its = std::ranges::upper_bound(ranges, offset, {}, end_of);
  return its != ranges.end() && its->offset < offset + length;
}

class Mender {
 public:
  Mender(const File& sums, const SumsHeader& header, Candidates candidates, std::span<const HostRange> hidden,
         File& to)
      : sums_(sums), header_(header), candidates_(candidates), hidden_(hidden), to_(to) {}

  Result<Mending> run(const Watch& watch) {
    const std::uint64_t at_once = clusters_at_once(header_);
    for (std::uint64_t first = 0; first < header_.clusters; first += at_once) {
      const std::uint64_t count = std::min(at_once, header_.clusters - first);
      HF_CHECK(take(first, count));
      if (watch) HF_CHECK(watch(count * cluster()));
    }
    HF_CHECK(to_.truncate(header_.clusters * cluster()));  // zeros at the end have not been written
    HF_CHECK(to_.sync_data());
    return std::move(mending_);
  }

 private:
  std::uint64_t cluster() const { return header_.geometry.cluster(); }

  Result<> take(std::uint64_t first, std::uint64_t count) {
    recorded_.resize(count);
    HF_TRY(const std::size_t got,
           sums_.read_at(sum_offset(first), std::as_writable_bytes(std::span{recorded_})));
    if (got != count * sizeof(Sum)) return fail_damaged(EIO, "{} is truncated", sums_.name());
    bytes_.assign(count * cluster(), std::byte{0});
    read_if_possible(candidates_.front().get(), first * cluster(), bytes_);
    for (std::uint64_t i = 0; i < count; ++i) HF_CHECK(take_one(first + i, recorded_[i], one(i)));
    return {};
  }

  ByteSpan one(std::uint64_t index) { return ByteSpan{bytes_}.subspan(index * cluster(), cluster()); }

  // `own` has the damaged image's bytes, or zeros where it has none.
  Result<> take_one(std::uint64_t number, const Sum& recorded, ByteSpan own) {
    const std::uint64_t offset = number * cluster();
    const bool may_be_gone = is_zero(own) && touches(hidden_, offset, cluster());
    if (sum_of(own) == recorded || may_be_gone) return put(offset, own);
    other_.resize(cluster());
    for (const auto& candidate : candidates_.subspan(1)) {
      if (!read_if_possible(candidate.get(), offset, other_) || sum_of(other_) != recorded) continue;
      mending_.healed += cluster();
      return put(offset, other_);
    }
    add_cluster(mending_.lost, offset, cluster());
    return put(offset, own);
  }

  // Returns false, with part of the bytes or none, where the file does not have all of them.
  static bool read_if_possible(const File* file, std::uint64_t offset, ByteSpan into) {
    if (file == nullptr) return false;
    const auto got = file->read_at(offset, into);
    return got && *got == into.size();
  }

  Result<> put(std::uint64_t offset, ByteView bytes) {
    return is_zero(bytes) ? Result<>{} : to_.write_at(offset, bytes);
  }

  const File& sums_;
  const SumsHeader header_;
  const Candidates candidates_;
  const std::span<const HostRange> hidden_;
  File& to_;
  std::vector<Sum> recorded_;
  Bytes bytes_, other_;
  Mending mending_;
};

}  // namespace

Result<Mending> mend_image(const File& sums, Candidates candidates, std::span<const HostRange> hidden,
                           File& to, const Watch& watch) {
  HF_TRY(const SumsHeader header, SumsHeader::read(sums));
  return Mender(sums, header, candidates, hidden, to).run(watch);
}

Result<std::string> sum_up(const File& image, File& to, const Watch& watch) {
  HF_TRY(const Header header, read_header(image));
  HF_TRY(const std::uint64_t size, image.size());
  if (!header.id || size % header.geometry.cluster() != 0)
    return fail_damaged(EIO, "{} is no image that Holdfast has written", image.name());
  const SumsHeader sums{header.geometry, *header.id, size >> header.geometry.bits};
  HF_CHECK(to.write_at(0, sums.print()));
  const std::uint64_t cluster = header.geometry.cluster();
  const std::uint64_t at_once = clusters_at_once(sums);
  Bytes bytes;
  std::vector<Sum> found;
  for (std::uint64_t first = 0; first < sums.clusters; first += at_once) {
    const std::uint64_t count = std::min(at_once, sums.clusters - first);
    bytes.resize(count * cluster);
    HF_TRY(const std::size_t got, image.read_at(first * cluster, bytes));
    if (got != bytes.size()) return fail_damaged(EIO, "{} ends at {}", image.name(), first * cluster + got);
    found.clear();
    for (std::uint64_t i = 0; i < count; ++i)
      found.push_back(sum_of(ByteView{bytes}.subspan(i * cluster, cluster)));
    HF_CHECK(to.write_at(sum_offset(first), std::as_bytes(std::span{found})));
    if (watch) HF_CHECK(watch(0));
  }
  HF_CHECK(to.sync_data());
  return sha256_hex(to);
}

}  // namespace holdfast::image
