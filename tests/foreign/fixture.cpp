#include "tests/foreign/fixture.h"

#include <zlib.h>

#include <algorithm>

namespace holdfast::foreign::test {

ReaderOptions reader() { return {.program = HOLDFAST_QCOW}; }

Result<std::unique_ptr<ForeignImage>> try_open(const Scratch& scratch, const std::string& name) {
  HF_TRY(auto file, ImageFile::open(scratch.path(name)));
  return ForeignImage::open(std::move(file), reader());
}

std::unique_ptr<ForeignImage> open(const Scratch& scratch, const std::string& name) {
  return must(try_open(scratch, name));
}

Bytes make_truth(Scratch& scratch, Random& random, std::uint64_t size) {
  Bytes disk(size);
  constexpr std::uint64_t kCluster = 4096;
  (void)image::test::random_patches(random, disk, kCluster, 40);
  scratch.write("truth.raw", disk);
  return disk;
}

std::string difference(ForeignImage& image, const Bytes& disk, Random& random) {
  if (image.size() != disk.size()) return fmt::format("{} bytes instead of {}", image.size(), disk.size());
  Bytes found(disk.size());
  must(image.read(0, found));
  if (const auto at = image::test::first_difference(found, disk))
    return fmt::format("all at once: differs at {}", *at);
  for (int i = 0; i < 20 && !disk.empty(); ++i) {
    const std::uint64_t offset = random.below(disk.size());
    Bytes piece(random.below(std::min<std::uint64_t>(300'000, disk.size() - offset) + 1));
    must(image.read(offset, piece));
    if (const auto at = image::test::first_difference(piece, ByteView{disk}.subspan(offset, piece.size())))
      return fmt::format("{} bytes at {}: differs at {}", piece.size(), offset, offset + *at);
  }
  std::uint64_t stored = 0;
  for (std::uint64_t at = 0; at < disk.size();) {
    const auto extent = must(image.extent(at, disk.size()));
    if (extent.length == 0 || extent.length > disk.size() - at) return fmt::format("no extent at {}", at);
    if (extent.data) stored += extent.length;
    if (!extent.data && !is_zero(ByteView{disk}.subspan(at, extent.length)))
      return fmt::format("{} bytes at {} are said to be zeros", extent.length, at);
    at += extent.length;
  }
  if (stored != image.stored()) return fmt::format("{} bytes stored instead of {}", image.stored(), stored);
  return "";
}

namespace {

Bytes deflated(ByteView cluster) {
  z_stream stream{};
  deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -12, 9, Z_DEFAULT_STRATEGY);
  Bytes out(deflateBound(&stream, cluster.size()));
  // zlib's pointers are not const, but it doesn't write through this one.
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(cluster.data()));
  stream.avail_in = static_cast<uInt>(cluster.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace

Bytes qcow1_image(const Bytes& disk, const Qcow1Layout& layout) {
  constexpr std::size_t kHeader = 48;
  const std::uint64_t cluster = std::uint64_t{1} << layout.cluster_bits;
  const std::uint64_t table = std::uint64_t{8} << layout.table_bits;
  const std::uint64_t span = cluster << layout.table_bits;
  const std::uint64_t tables = divide_up<std::uint64_t>(disk.size(), span);

  Bytes image(kHeader + tables * 8);
  store_be<std::uint32_t>(image.data(), 0x514649fb);
  store_be<std::uint32_t>(image.data() + 4, 1);
  store_be<std::uint64_t>(image.data() + 24, disk.size());
  image[32] = static_cast<std::byte>(layout.cluster_bits);
  image[33] = static_cast<std::byte>(layout.table_bits);
  store_be<std::uint64_t>(image.data() + 40, kHeader);
  for (std::uint64_t number = 0; number < tables; ++number) {
    image.resize(round_up<std::size_t>(image.size(), cluster));
    const std::uint64_t table_at = image.size();
    store_be(image.data() + kHeader + number * 8, table_at);
    image.resize(table_at + table);
    for (std::uint64_t at = number * span; at < std::min<std::uint64_t>((number + 1) * span, disk.size());
         at += cluster) {
      Bytes data(
          disk.begin() + static_cast<std::ptrdiff_t>(at),
          disk.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(at + cluster, disk.size())));
      if (is_zero(data)) continue;
      data.resize(cluster);
      const Bytes squeezed = layout.compressed ? deflated(data) : Bytes{};
      std::uint64_t entry = 0;
      if (!squeezed.empty() && squeezed.size() < cluster) {
        entry = std::uint64_t{1} << 63 | std::uint64_t{squeezed.size()} << (63 - layout.cluster_bits) |
                image.size();
        image.insert(image.end(), squeezed.begin(), squeezed.end());
      } else {
        image.resize(round_up<std::size_t>(image.size(), cluster));
        entry = image.size();
        image.insert(image.end(), data.begin(), data.end());
      }
      store_be(image.data() + table_at + (at - number * span) / cluster * 8, entry);
    }
  }
  return image;
}

Bytes as_qemu_reads(Scratch& scratch, const std::string& name, const std::string& format) {
  sh(scratch, fmt::format("qemu-img convert -f {} -O raw {} read.raw", format, name));
  return scratch.read("read.raw");
}

}  // namespace holdfast::foreign::test
