// Law 10: stock images, read by what their specification says and by nothing else.
#include "tests/simulation/images.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "catalog/base/fd.h"
#include "tests/simulation/storage.h"

namespace holdfast::simulation {
namespace {

constexpr std::uint64_t kMagic = 0x514649fb;
constexpr std::uint64_t kOffset = 0x00fffffffffffe00;

struct Image {
  Bytes bytes;
  std::uint64_t size = 0, l1_size = 0, l1_at = 0;
  unsigned cluster_bits = 0;
  bool zstd = false;
  std::string backing;

  template <class T>
  Result<T> number(std::uint64_t at) const {
    if (at > bytes.size() || bytes.size() - at < sizeof(T))
      return fail(EIO, "a number at {} lies behind the end", at);
    return load_be<T>(bytes.data() + at);
  }
};

Result<Bytes> read_file(const std::string& path) {
  const Fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd) return fail_errno("opening {}", path);
  struct stat it {};
  ::fstat(fd.get(), &it);
  Bytes bytes(static_cast<std::size_t>(it.st_size));
  if (::pread(fd.get(), bytes.data(), bytes.size(), 0) != it.st_size) return fail(EIO, "reading {}", path);
  return bytes;
}

Result<Image> open_image(const std::string& path) {
  Image image;
  HF_TRY(image.bytes, read_file(path));
  HF_TRY(const auto magic, image.number<std::uint32_t>(0));
  HF_TRY(const auto version, image.number<std::uint32_t>(4));
  if (magic != kMagic || version != 3) return fail(EIO, "{} is no qcow2 image of version 3", path);
  HF_TRY(const auto backing_at, image.number<std::uint64_t>(8));
  HF_TRY(const auto backing_length, image.number<std::uint32_t>(16));
  HF_TRY(image.cluster_bits, image.number<std::uint32_t>(20));
  HF_TRY(image.size, image.number<std::uint64_t>(24));
  HF_TRY(image.l1_size, image.number<std::uint32_t>(36));
  HF_TRY(image.l1_at, image.number<std::uint64_t>(40));
  HF_TRY(const auto features, image.number<std::uint64_t>(72));
  if ((features & 8) != 0) {
    if (image.bytes.size() < 105) return fail(EIO, "{} ends in its header", path);
    image.zstd = image.bytes[104] == std::byte{1};
  }
  if (backing_at != 0) {
    if (backing_at + backing_length > image.bytes.size())
      return fail(EIO, "{}: the backing name is cut off", path);
    image.backing.assign(reinterpret_cast<const char*>(image.bytes.data()) + backing_at, backing_length);
  }
  return image;
}

Result<> unpack(const Image& image, std::uint64_t entry, ByteSpan into) {
  const unsigned bits = 62 - (image.cluster_bits - 8);
  const std::uint64_t at = entry & ((1ULL << bits) - 1);
  const std::uint64_t sectors = ((entry & ((1ULL << 62) - 1)) >> bits) + 1;
  const std::uint64_t end = std::min<std::uint64_t>(image.bytes.size(), (at / 512 + sectors) * 512);
  if (at >= end) return fail(EIO, "compressed data at {} lies behind the end", at);
  if (image.zstd) {
    static ZSTD_DCtx* const context = ZSTD_createDCtx();
    ZSTD_outBuffer out{into.data(), into.size(), 0};
    ZSTD_inBuffer in{image.bytes.data() + at, end - at, 0};
    std::size_t left = 1;
    while (out.pos < out.size && left != 0 && !ZSTD_isError(left)) {
      const std::size_t before = out.pos + in.pos;
      left = ZSTD_decompressStream(context, &out, &in);
      if (out.pos + in.pos == before) break;
    }
    ZSTD_DCtx_reset(context, ZSTD_reset_session_only);
    return out.pos == out.size ? Result<>() : fail(EIO, "compressed data at {} can't be unpacked", at);
  }
  z_stream stream{};
  if (inflateInit2(&stream, -12) != Z_OK) return fail(ENOMEM, "zlib has no memory");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(image.bytes.data() + at));
  stream.avail_in = static_cast<uInt>(end - at);
  stream.next_out = reinterpret_cast<Bytef*>(into.data());
  stream.avail_out = static_cast<uInt>(into.size());
  inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  return stream.avail_out == 0 ? Result<>() : fail(EIO, "compressed data at {} can't be unpacked", at);
}

// Lays the image's own clusters beneath what lies above. Clusters that are hidden are not read: they may be
// holes.
Result<> lay_beneath(const Image& image, Bytes& content, std::vector<bool>& known) {
  const std::uint64_t cluster = 1ULL << image.cluster_bits, per_table = cluster / 8;
  const std::uint64_t size = std::min<std::uint64_t>(image.size, content.size());
  for (std::uint64_t at = 0, number = 0; at < size; at += cluster, ++number) {
    if (known[number]) continue;
    HF_TRY(const auto table, image.number<std::uint64_t>(image.l1_at + number / per_table * 8));
    if ((table & kOffset) == 0) continue;
    HF_TRY(const auto entry, image.number<std::uint64_t>((table & kOffset) + number % per_table * 8));
    const std::uint64_t length = std::min(cluster, size - at);
    const ByteSpan into = ByteSpan{content}.subspan(at, length);
    known[number] = entry != 0;
    if ((entry >> 62 & 1) != 0) {
      Bytes whole(cluster);
      HF_CHECK(unpack(image, entry, whole));
      std::copy_n(whole.begin(), length, into.begin());
    } else if ((entry & 1) == 0 && (entry & kOffset) != 0) {
      const std::uint64_t from = entry & kOffset;
      if (from + length > image.bytes.size()) return fail(EIO, "the cluster at {} lies behind the end", from);
      std::copy_n(image.bytes.begin() + static_cast<std::ptrdiff_t>(from), length, into.begin());
    }
  }
  return {};
}

}  // namespace

Result<Walked> walk_image(const std::string& path) {
  const storage::Outside past;
  Walked walked;
  std::vector<bool> known;
  unsigned bits = 0;
  for (std::string next = path; !next.empty();) {
    const std::string directory = next.substr(0, next.rfind('/'));
    const auto image = open_image(next);
    if (!image) return fail(image.error().code, "{}: {}", next, image.error().message);
    if (walked.directories.empty()) {
      bits = image->cluster_bits;
      walked.content.resize(image->size);
      known.resize(divide_up(image->size, std::uint64_t{1} << bits));
    }
    if (image->cluster_bits != bits) return fail(EIO, "{} has clusters of another size", next);
    walked.directories.push_back(directory);
    if (walked.directories.size() > 1000) return fail(ELOOP, "{} rests on itself", path);
    if (auto laid = lay_beneath(*image, walked.content, known); !laid)
      return within(laid.error(), "{}", next);
    // "../TIME/DISK.qcow2"
    next = image->backing.empty() ? "" : directory.substr(0, directory.rfind('/')) + image->backing.substr(2);
  }
  return walked;
}

}  // namespace holdfast::simulation
