#include "engine/image/header.h"

#include <sys/random.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "engine/image/layer_files.h"

namespace holdfast::image {
namespace {

constexpr std::uint32_t kQcowMagic = 0x514649fb;  // "QFI\xfb"
constexpr std::size_t kLengthV2 = 72;
constexpr std::size_t kShortestV3 = 104;
constexpr std::size_t kWrittenV3 = 112;  // the length that the writer gives: with the compression type

constexpr std::uint64_t kDirty = 1, kCorrupt = 2, kDataFile = 4, kCompressionType = 8, kExtendedL2 = 16;

constexpr std::uint32_t kExtensionEnd = 0;
constexpr std::uint32_t kExtensionBackingFormat = 0xe2792aca;
// "HFID", Holdfast's extension: the image's id (16 random bytes), then the disk's exact size (8 bytes). The
// header's own size field is rounded up, because QEMU counts disks in whole sectors.
constexpr std::uint32_t kExtensionHoldfast = 0x48464944;
constexpr std::size_t kHoldfastBytes = 24;
constexpr std::size_t kLongestBackingName = 1023;

// Offsets of the header's fields.
namespace at {
constexpr std::size_t version = 4, backing_offset = 8, backing_length = 16, cluster_bits = 20, size = 24,
                      crypt_method = 32, l1_entries = 36, l1_offset = 40, refcount_table_offset = 48,
                      refcount_table_clusters = 56, incompatible = 72, refcount_order = 96,
                      header_length = 100, compression_type = 104;
}

class Parser {
 public:
  Parser(const std::string& name, ByteView start, std::uint64_t file_size)
      : name_(name), start_(start), file_size_(file_size) {}

  Result<Header> parse() {
    HF_CHECK(check_kind());
    HF_CHECK(read_fixed_fields());
    HF_CHECK(check_features());
    HF_CHECK(check_tables());
    HF_CHECK(read_backing_name());
    HF_CHECK(read_extensions());
    return header_;
  }

 private:
  std::uint32_t u32(std::size_t offset) const { return load_be<std::uint32_t>(start_.data() + offset); }
  std::uint64_t u64(std::size_t offset) const { return load_be<std::uint64_t>(start_.data() + offset); }

  template <class... Args>
  tl::unexpected<Error> refuse(fmt::format_string<Args...> format, Args&&... args) const {
    return fail_damaged(EINVAL, "{} {}", name_, fmt::format(format, std::forward<Args>(args)...));
  }

  Result<> check_kind() {
    if (start_.size() < kLengthV2 || u32(0) != kQcowMagic)
      return refuse("is no qcow2 image; make it one by `qemu-img convert -O qcow2`");
    header_.version = static_cast<int>(u32(at::version));
    if (header_.version == 1)
      return refuse("is a qcow image of version 1; make it qcow2 by `qemu-img convert -O qcow2`");
    if (header_.version != 2 && header_.version != 3)
      return refuse("is qcow2 of version {}; make it one of version 3 by `qemu-img convert -O qcow2`",
                    u32(at::version));
    if (header_.version == 3 && start_.size() < kShortestV3) return refuse("ends inside its header");
    return {};
  }

  Result<> read_fixed_fields() {
    const std::uint32_t bits = u32(at::cluster_bits);
    if (bits < kMinClusterBits || bits > kMaxClusterBits)
      return refuse("has clusters of 2^{} bytes; 512 bytes to 2 MiB are supported", bits);
    header_.geometry = Geometry{bits};
    header_.virtual_size = u64(at::size);
    if (const std::uint32_t method = u32(at::crypt_method); method != 0)
      return refuse("is encrypted (method {}); decrypt it by `qemu-img convert -O qcow2`", method);
    header_.l1_entries = u32(at::l1_entries);
    header_.l1_offset = u64(at::l1_offset);
    header_.refcount_table_offset = u64(at::refcount_table_offset);
    header_.refcount_table_clusters = u32(at::refcount_table_clusters);
    if (header_.version == 2) {
      header_length_ = kLengthV2;
      return {};
    }
    header_length_ = u32(at::header_length);
    if (header_length_ < kShortestV3 || header_length_ % 8 != 0 ||
        header_length_ > std::min<std::uint64_t>(header_.geometry.cluster(), start_.size()))
      return refuse("has a header of {} bytes; it must be a multiple of 8 and end in the first cluster",
                    header_length_);
    if (u32(at::refcount_order) > 6) return refuse("has refcounts of 2^{} bits", u32(at::refcount_order));
    return {};
  }

  Result<> check_features() {
    if (header_.version == 2) return {};
    const std::uint64_t features = u64(at::incompatible);
    if (features & kDirty)
      return refuse("was not closed (its dirty bit is set); repair it by `qemu-img check -r all`");
    if (features & kCorrupt)
      return refuse("is marked as corrupt; repair it by `qemu-img check -r all`, or take another copy");
    if (features & kDataFile)
      return refuse("keeps its data in another file; make it one file by `qemu-img convert -O qcow2`");
    if (features & kExtendedL2)
      return refuse("has extended L2 entries; make it a plain one by `qemu-img convert -O qcow2`");
    if (features & ~kCompressionType)
      return refuse(
          "needs unsupported features (incompatible bits {:#x}); remove them by `qemu-img convert -O qcow2`",
          features);
    const unsigned type =
        header_length_ > at::compression_type ? std::to_integer<unsigned>(start_[at::compression_type]) : 0;
    if (type > 1)
      return refuse("has compression type {}; make it 0 (deflate) or 1 (zstd) by `qemu-img convert -O qcow2`",
                    type);
    if ((type != 0) != ((features & kCompressionType) != 0))
      return refuse("contradicts itself: compression type {} with incompatible bits {:#x}", type, features);
    header_.zstd = type == 1;
    return {};
  }

  Result<> check_table(const char* which, std::uint64_t offset, std::uint64_t bytes) const {
    if (offset % header_.geometry.cluster() != 0)
      return refuse("has its {} at {}; it must begin at a cluster", which, offset);
    if (bytes > file_size_ || offset > file_size_ - bytes)
      return refuse("has its {} at {}, {} bytes long, outside of the file's {}", which, offset, bytes,
                    file_size_);
    if (bytes != 0 && offset == 0) return refuse("has its {} at 0, where its header is", which);
    return {};
  }

  Result<> check_tables() const {
    const std::uint64_t l1_bytes = std::uint64_t{header_.l1_entries} * 8;
    if (l1_bytes > kMaxL1Bytes)
      return refuse("has an L1 table of {} bytes, more than any disk needs", l1_bytes);
    if (header_.l1_entries < header_.geometry.l1_entries(header_.virtual_size))
      return refuse("has an L1 table of {} entries, too few for its {} bytes", header_.l1_entries,
                    header_.virtual_size);
    HF_CHECK(check_table("L1 table", header_.l1_offset, l1_bytes));
    return check_table("refcount table", header_.refcount_table_offset,
                       header_.refcount_table_clusters * header_.geometry.cluster());
  }

  Result<> read_backing_name() {
    const std::uint64_t offset = u64(at::backing_offset);
    const std::uint64_t length = u32(at::backing_length);
    extensions_end_ = std::min<std::uint64_t>(header_.geometry.cluster(), start_.size());
    if (offset == 0) return {};
    if (length > kLongestBackingName || offset > extensions_end_ || length > extensions_end_ - offset)
      return refuse("has a backing file name of {} bytes at {}, outside of its first cluster", length,
                    offset);
    for (const std::byte byte : start_.subspan(offset, length))
      header_.backing_file += std::to_integer<char>(byte);
    if (offset >= header_length_) extensions_end_ = offset;
    return {};
  }

  Result<> read_extensions() {
    std::uint64_t offset = header_length_;
    while (extensions_end_ - offset >= 8) {
      const std::uint32_t type = u32(offset);
      const std::uint64_t length = u32(offset + 4);
      if (type == kExtensionEnd) break;
      offset += 8;
      if (length > extensions_end_ - offset)
        return refuse("has a header extension {:#x} of {} bytes, which ends outside of its first cluster",
                      type, length);
      if (type == kExtensionHoldfast) HF_CHECK(read_our_own(start_.subspan(offset, length)));
      offset += std::min(round_up<std::uint64_t>(length, 8), extensions_end_ - offset);
    }
    return {};
  }

  Result<> read_our_own(ByteView data) {
    if (data.size() != kHoldfastBytes) return refuse("has a Holdfast extension of {} bytes", data.size());
    header_.id.emplace();
    std::ranges::copy(data.first(header_.id->size()), header_.id->begin());
    const auto exact = load_be<std::uint64_t>(data.data() + header_.id->size());
    if (exact > header_.virtual_size || round_up(exact, kSector) != header_.virtual_size)
      return refuse("has a disk of {} bytes, but a header that says {}", exact, header_.virtual_size);
    header_.virtual_size = exact;
    return {};
  }

  const std::string& name_;
  ByteView start_;
  std::uint64_t file_size_;
  Header header_;
  std::uint64_t header_length_ = 0;
  std::uint64_t extensions_end_ = 0;
};

}  // namespace

Result<Header> parse_header(const std::string& name, ByteView start, std::uint64_t file_size) {
  return Parser(name, start, file_size).parse();
}

Result<Header> read_header(const File& image) {
  HF_TRY(const std::uint64_t size, image.size());
  Bytes start(kLengthV2);
  HF_TRY(std::size_t got, image.read_at(0, start));
  if (got == start.size()) {
    const auto bits = load_be<std::uint32_t>(start.data() + at::cluster_bits);
    start.resize(std::size_t{1} << std::clamp(bits, kMinClusterBits, kMaxClusterBits));
    HF_TRY(got, image.read_at(0, start));
  }
  start.resize(got);
  return parse_header(image.name(), start, size);
}

Result<Bytes> print_header(const Header& header) {
  Bytes cluster(header.geometry.cluster());
  const auto put32 = [&](std::size_t offset, std::uint32_t v) { store_be(cluster.data() + offset, v); };
  const auto put64 = [&](std::size_t offset, std::uint64_t v) { store_be(cluster.data() + offset, v); };
  put32(0, kQcowMagic);
  put32(at::version, 3);
  put32(at::cluster_bits, header.geometry.bits);
  put64(at::size, round_up(header.virtual_size, kSector));
  put32(at::l1_entries, header.l1_entries);
  put64(at::l1_offset, header.l1_offset);
  put64(at::refcount_table_offset, header.refcount_table_offset);
  put32(at::refcount_table_clusters, header.refcount_table_clusters);
  put64(at::incompatible, header.zstd ? kCompressionType : 0);
  put32(at::refcount_order, 4);
  put32(at::header_length, kWrittenV3);
  cluster[at::compression_type] = std::byte{header.zstd};

  std::size_t next = kWrittenV3;
  const auto extend = [&](std::uint32_t type, ByteView data) {
    put32(next, type);
    put32(next + 4, static_cast<std::uint32_t>(data.size()));
    std::ranges::copy(data, cluster.begin() + static_cast<std::ptrdiff_t>(next + 8));
    next += 8 + round_up<std::size_t>(data.size(), 8);
  };
  if (!header.backing_file.empty()) extend(kExtensionBackingFormat, as_bytes("qcow2"));
  if (header.id) {
    Bytes own(header.id->begin(), header.id->end());
    own.resize(kHoldfastBytes);
    store_be(own.data() + header.id->size(), header.virtual_size);
    extend(kExtensionHoldfast, own);
  }
  extend(kExtensionEnd, {});

  const std::size_t room = std::min(cluster.size() - next, kLongestBackingName);
  if (header.backing_file.size() > room)
    return fail(EINVAL, "the backing file's name '{}' has {} bytes; {} fit into a header of {} bytes",
                header.backing_file, header.backing_file.size(), room, cluster.size());
  if (!header.backing_file.empty()) {
    put64(at::backing_offset, next);
    put32(at::backing_length, static_cast<std::uint32_t>(header.backing_file.size()));
    std::ranges::copy(as_bytes(header.backing_file), cluster.begin() + static_cast<std::ptrdiff_t>(next));
  }
  return cluster;
}

ImageId new_image_id() {
  ImageId id;
  // getrandom() of up to 256 bytes neither fails nor returns fewer once the machine has booted.
  if (getrandom(id.data(), id.size(), 0) != static_cast<ssize_t>(id.size())) std::abort();
  return id;
}

std::string hex(const ImageId& id) { return to_hex(id); }

std::optional<ImageId> id_of(std::string_view hex) {
  ImageId id;
  if (hex.size() != 2 * id.size()) return std::nullopt;
  for (std::size_t i = 0; i < id.size(); ++i) {
    unsigned value = 0;
    const char* end = hex.data() + 2 * i + 2;
    if (std::from_chars(end - 2, end, value, 16).ptr != end) return std::nullopt;
    id[i] = std::byte{static_cast<unsigned char>(value)};
  }
  return id;
}

Result<ImageFacts> inspect(const File& image) {
  HF_TRY(const Header header, read_header(image));
  ImageFacts facts;
  facts.version = header.version;
  facts.virtual_size = header.virtual_size;
  facts.cluster_size = static_cast<std::uint32_t>(header.geometry.cluster());
  facts.backing_file = header.backing_file;
  facts.image_id = header.id ? hex(*header.id) : "";
  facts.zstd = header.zstd;
  return facts;
}

}  // namespace holdfast::image
