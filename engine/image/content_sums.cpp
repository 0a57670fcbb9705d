#include "engine/image/content_sums.h"

#include <algorithm>

#include "catalog/base/sha256.h"

namespace holdfast::image {
namespace {

constexpr std::string_view kContentMagic = "HOLDCONT";
constexpr std::uint32_t kContentVersion = 1;
constexpr std::size_t kHeaderBytes = 64;
constexpr std::size_t kSummedContentHeader = 48;

constexpr std::uint64_t offset_of(std::uint64_t cluster) { return kHeaderBytes + cluster * sizeof(Sum); }

Bytes print(const ContentShape& shape) {
  Bytes bytes(kHeaderBytes);
  std::ranges::copy(as_bytes(kContentMagic), bytes.begin());
  store_be(bytes.data() + 8, kContentVersion);
  store_be(bytes.data() + 12, shape.cluster_size);
  std::ranges::copy(shape.id, bytes.begin() + 16);
  store_be(bytes.data() + 32, shape.disk_size);
  std::ranges::copy(sum_of(ByteView{bytes}.first(kSummedContentHeader)),
                    bytes.begin() + kSummedContentHeader);
  return bytes;
}

}  // namespace

Sum content_sum(ByteView cluster) { return is_zero(cluster) ? kZeroContent : sum_of(cluster); }

Result<ContentWriter> ContentWriter::create(File& file, const ContentShape& shape) {
  HF_CHECK(file.truncate(offset_of(shape.clusters())));
  HF_CHECK(file.write_at(0, print(shape)));
  return ContentWriter(file);
}

Result<> ContentWriter::write(std::uint64_t first_cluster, std::span<const Sum> sums) {
  const ByteView bytes = std::as_bytes(sums);
  if (is_zero(bytes)) return {};
  return file_->write_at(offset_of(first_cluster), bytes);
}

Result<std::string> ContentWriter::finish() {
  HF_CHECK(file_->sync_data());
  return sha256_hex(*file_);
}

Result<ContentReader> ContentReader::open(std::unique_ptr<File> file, const ContentShape& shape,
                                          const std::string& sha256) {
  HF_TRY(const std::uint64_t size, file->size());
  if (size != offset_of(shape.clusters()))
    return fail_damaged(EIO, "{} has {} bytes; the content sums of a disk of {} bytes have {}", file->name(),
                        size, shape.disk_size, offset_of(shape.clusters()));
  Bytes header(kHeaderBytes);
  HF_TRY(const std::size_t got, file->read_at(0, header));
  if (got != header.size() || header != print(shape))
    return fail_damaged(EIO, "{} does not begin with the header of image {}'s content sums", file->name(),
                        hex(shape.id));
  HF_TRY(const std::string found, sha256_hex(*file));
  if (found != sha256)
    return fail_damaged(EIO, "{} does not have the SHA-256 that was recorded when it was written",
                        file->name());
  return ContentReader(std::move(file));
}

Result<std::vector<Sum>> ContentReader::read(std::uint64_t first_cluster, std::size_t count) const {
  std::vector<Sum> sums(count);
  const ByteSpan bytes = std::as_writable_bytes(std::span{sums});
  HF_TRY(const std::size_t got, file_->read_at(offset_of(first_cluster), bytes));
  if (got != bytes.size())
    return fail_damaged(EIO, "{} ends before the sum of cluster {}", file_->name(),
                        first_cluster + count - 1);
  return sums;
}

}  // namespace holdfast::image
