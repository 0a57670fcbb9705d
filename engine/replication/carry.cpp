#include "engine/replication/carry.h"

#include <algorithm>

#include "catalog/base/sha256.h"
#include "engine/image/sums.h"

namespace holdfast::replication {
namespace {

using image::Sum;

constexpr std::uint64_t kAtOnce = kMiB;

Result<std::unique_ptr<File>> open_or_create(Directory& directory, const std::string& path) {
  HF_TRY(const bool there, directory.exists(path));
  return there ? directory.open(path, Access::write) : directory.create(path);
}

// Copies the checksums file as a whole, because it is small beside its image. Returns the bytes written; 0 if
// the target has the same file.
Result<std::uint64_t> carry_sums(const File& from, File& to, const std::string& sha256, const Toll& toll) {
  HF_TRY(const std::uint64_t size, from.size());
  HF_TRY(const std::uint64_t there, to.size());
  if (there == size) {
    HF_TRY(const std::string found, sha256_hex(to));
    if (found == sha256) return 0;
  }
  HF_CHECK(to.truncate(0));
  Bytes piece(std::min(size, kAtOnce));
  for (std::uint64_t at = 0; at < size; at += piece.size()) {
    piece.resize(std::min<std::uint64_t>(piece.size(), size - at));
    HF_TRY(const std::size_t got, from.read_at(at, piece));
    if (got != piece.size()) return fail_damaged(EIO, "{} ends at {}", from.name(), at + got);
    HF_CHECK(toll.before_moving(piece.size()));
    HF_CHECK(to.write_at(at, piece));
  }
  HF_CHECK(to.sync_data());
  return size;
}

// Copies an image piece by piece.
class ImageCarrier {
 public:
  ImageCarrier(const File& from, File& to, const File& sums, const image::SumsHeader& header,
               const Toll& toll)
      : from_(from),
        to_(to),
        sums_(sums),
        cluster_(header.geometry.cluster()),
        clusters_(header.clusters),
        toll_(toll) {}

  Result<std::uint64_t> carry() {
    const std::uint64_t size = clusters_ * cluster_;
    HF_TRY(there_, to_.size());
    if (there_ > size) HF_CHECK(to_.truncate(size));
    const std::uint64_t at_once = std::max<std::uint64_t>(1, kAtOnce / cluster_);
    for (std::uint64_t first = 0; first < clusters_; first += at_once)
      HF_CHECK(carry_piece(first, std::min(at_once, clusters_ - first)));
    HF_CHECK(to_.truncate(size));  // zeros at the end have not been written
    HF_CHECK(to_.sync_data());
    return moved_;
  }

 private:
  Result<> carry_piece(std::uint64_t first, std::uint64_t count) {
    recorded_.resize(count);
    const ByteSpan sums = std::as_writable_bytes(std::span{recorded_});
    HF_TRY(const std::size_t got, sums_.read_at(image::sum_offset(first), sums));
    if (got != sums.size()) return fail_damaged(EIO, "{} is truncated", sums_.name());
    HF_TRY(const auto missing, missing_of(first, count));
    if (!missing.empty()) HF_CHECK(move(first, count, missing));
    return toll_.looked_at(count * cluster_);
  }

  // Returns the indices of clusters of the piece that are missing or wrong at the target.
  Result<std::vector<std::uint64_t>> missing_of(std::uint64_t first, std::uint64_t count) {
    std::vector<std::uint64_t> missing;
    bytes_.assign(count * cluster_, std::byte{0});
    if (first * cluster_ < there_) HF_CHECK(to_.read_at(first * cluster_, bytes_));
    for (std::uint64_t i = 0; i < count; ++i)
      if (image::sum_of(cluster(i)) != recorded_[i]) missing.push_back(i);
    return missing;
  }

  Result<> move(std::uint64_t first, std::uint64_t count, const std::vector<std::uint64_t>& missing) {
    HF_TRY(const std::size_t got, from_.read_at(first * cluster_, bytes_));
    if (got != count * cluster_)
      return fail_damaged(EIO, "{} ends at {}", from_.name(), first * cluster_ + got);
    for (std::size_t begin = 0; begin < missing.size();) {
      std::size_t end = begin;
      for (; end < missing.size() && missing[end] == missing[begin] + (end - begin); ++end)
        if (image::sum_of(cluster(missing[end])) != recorded_[missing[end]])
          return fail_damaged(EIO, "{}: the {} bytes at {} are not what was written (checksum)", from_.name(),
                              cluster_, (first + missing[end]) * cluster_);
      const std::uint64_t length = (end - begin) * cluster_;
      HF_CHECK(toll_.before_moving(length));
      HF_CHECK(to_.write_at((first + missing[begin]) * cluster_,
                            ByteView{bytes_}.subspan(missing[begin] * cluster_, length)));
      moved_ += length;
      begin = end;
    }
    return {};
  }

  ByteView cluster(std::uint64_t index) const { return ByteView{bytes_}.subspan(index * cluster_, cluster_); }

  const File& from_;
  File& to_;
  const File& sums_;
  const std::uint64_t cluster_, clusters_;
  const Toll& toll_;
  std::uint64_t there_ = 0;  // length of the target file before copying
  std::vector<Sum> recorded_;
  Bytes bytes_;
  std::uint64_t moved_ = 0;
};

}  // namespace

Result<std::uint64_t> carry_layer(const LayerAt& from, const LayerAt& to, const std::string& sums_sha256,
                                  const Toll& toll) {
  HF_TRY(const auto image, repository::open_stored(from.directory, from.paths.image));
  HF_TRY(const auto sums, repository::open_stored(from.directory, from.paths.sums));
  HF_TRY(const std::string sha256, sha256_hex(*sums));
  if (!sums_sha256.empty() && sha256 != sums_sha256)
    return fail_damaged(EIO, "{}: these are not the checksums that were written", sums->name());
  HF_TRY(const image::SumsHeader header, image::SumsHeader::read(*sums));
  HF_CHECK(header.check_sizes(*image, *sums));

  HF_TRY(const auto new_sums, open_or_create(to.directory, to.paths.sums));
  HF_TRY(std::uint64_t moved, carry_sums(*sums, *new_sums, sha256, toll));
  HF_TRY(const auto new_image, open_or_create(to.directory, to.paths.image));
  ImageCarrier carrier(*image, *new_image, *sums, header, toll);
  HF_TRY(const std::uint64_t moved_of_image, carrier.carry());
  moved += moved_of_image;
  HF_CHECK(image::verify_layer(*new_image, *new_sums, [&](std::uint64_t) { return toll.looked_at(0); }));
  return moved;
}

}  // namespace holdfast::replication
