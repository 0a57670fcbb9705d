#include "engine/foreign/facts.h"

#include <algorithm>
#include <array>

#include "catalog/base/bytes.h"
#include "catalog/base/text.h"

namespace holdfast::foreign {
namespace {

constexpr std::size_t kStart = 65536;        // more than any header that is parsed here
constexpr std::size_t kFooter = 512;         // the footer of a VHD
constexpr std::uint32_t kQcow = 0x514649fb;  // "QFI\xfb", of all versions

struct Magic {
  std::string_view bytes;
  std::size_t offset;
  Format format;
};
constexpr Magic kMagics[] = {
    {"KDMV", 0, Format::vmdk},
    {"# Disk DescriptorFile", 0, Format::vmdk},
    {"COWD", 0, Format::vmdk},
    {"\x7f\x10\xda\xbe", 64, Format::vdi},
    {"vhdxfile", 0, Format::vhdx},
    {"conectix", 0, Format::vhd},
    {std::string_view("QED\0", 4), 0, Format::qed},
    {"LUKS\xba\xbe", 0, Format::luks},
};

// The fields of a header that may be cut off; missing fields read as zero.
class Fields {
 public:
  explicit Fields(ByteView start) : start_(start) {}

  template <class T>
  T number(std::uint64_t offset) const {
    return has(offset, sizeof(T)) ? load_be<T>(start_.data() + offset) : T{};
  }
  std::uint32_t u8(std::uint64_t offset) const {
    return has(offset, 1) ? std::to_integer<std::uint32_t>(start_[offset]) : 0;
  }
  std::uint32_t u32(std::uint64_t offset) const { return number<std::uint32_t>(offset); }
  std::uint64_t u64(std::uint64_t offset) const { return number<std::uint64_t>(offset); }
  std::string text(std::uint64_t offset, std::uint64_t length) const {
    constexpr std::uint64_t kLongest = 1023;
    if (length > kLongest || !has(offset, length)) return "(a name that can't be read)";
    return printable({reinterpret_cast<const char*>(start_.data() + offset), length});
  }
  bool has(std::uint64_t offset, std::uint64_t length) const {
    return offset <= start_.size() && length <= start_.size() - offset;
  }
  bool has(const Magic& magic) const {
    return has(magic.offset, magic.bytes.size()) &&
           std::ranges::equal(start_.subspan(magic.offset, magic.bytes.size()), as_bytes(magic.bytes));
  }

 private:
  ByteView start_;
};

std::uint64_t power_of_two(std::uint32_t bits) { return bits < 64 ? std::uint64_t{1} << bits : 0; }

Encryption encryption(std::uint32_t method) {
  constexpr Encryption kMethods[] = {Encryption::none, Encryption::aes, Encryption::luks};
  return method < std::size(kMethods) ? kMethods[method] : Encryption::unknown;
}

void look_at_qcow(const Fields& header, Facts& facts) {
  facts.virtual_size = header.u64(24);
  facts.cluster_size = power_of_two(header.u8(32));
  facts.compression = "deflate";
  facts.encryption = encryption(header.u32(36));
  if (const std::uint64_t name = header.u64(8); name != 0)
    facts.backing_file = header.text(name, header.u32(16));
}

void look_at_extensions(const Fields& header, std::uint64_t at, std::uint64_t end, Facts& facts) {
  constexpr std::uint32_t kEnd = 0, kBackingFormat = 0xe2792aca, kDataFile = 0x44415441;
  while (header.has(at, 8) && at < end) {
    const std::uint32_t type = header.u32(at), length = header.u32(at + 4);
    at += 8;
    if (type == kEnd || !header.has(at, length)) return;
    if (type == kBackingFormat) facts.backing_format = header.text(at, length);
    if (type == kDataFile) facts.data_file = header.text(at, length);
    at += round_up<std::uint64_t>(length, 8);
  }
}

void look_at_qcow2(const Fields& header, Facts& facts) {
  facts.virtual_size = header.u64(24);
  facts.cluster_size = power_of_two(header.u32(20));
  facts.compression = "deflate";
  facts.encryption = encryption(header.u32(32));
  facts.snapshots = header.u32(60);
  const std::uint64_t name = header.u64(8);
  if (name != 0) facts.backing_file = header.text(name, header.u32(16));

  constexpr std::uint64_t kLengthV2 = 72;
  std::uint64_t length = kLengthV2;
  if (facts.version >= 3) {
    constexpr std::uint64_t kDirty = 1, kCorrupt = 2, kDataFile = 4, kCompressionType = 8, kExtendedL2 = 16;
    const std::uint64_t features = header.u64(72);
    facts.dirty = (features & kDirty) != 0;
    facts.corrupt = (features & kCorrupt) != 0;
    if ((features & kDataFile) != 0) facts.data_file = "(not named)";
    facts.extended_l2 = (features & kExtendedL2) != 0;
    facts.unknown_features = features & ~(kDirty | kCorrupt | kDataFile | kCompressionType | kExtendedL2);
    length = header.u32(100);
    if ((features & kCompressionType) != 0) facts.compression = header.u8(104) == 1 ? "zstd" : "unknown";
  }
  look_at_extensions(header, length, name > length ? name : facts.cluster_size, facts);
}

}  // namespace

std::string_view to_word(Format format) {
  switch (format) {
    case Format::raw: return "raw";
    case Format::qcow: return "qcow";
    case Format::qcow2: return "qcow2";
    case Format::luks: return "luks";
    case Format::vmdk: return "vmdk";
    case Format::vdi: return "vdi";
    case Format::vhd: return "vpc";
    case Format::vhdx: return "vhdx";
    case Format::qed: return "qed";
  }
  return "raw";
}

std::string_view to_word(Encryption encryption) {
  switch (encryption) {
    case Encryption::none: return "none";
    case Encryption::aes: return "aes";
    case Encryption::luks: return "luks";
    case Encryption::unknown: return "unknown";
  }
  return "unknown";
}

Format format_of(ByteView start) {
  const Fields fields(start);
  if (fields.u32(0) == kQcow) return fields.u32(4) == 1 ? Format::qcow : Format::qcow2;
  for (const Magic& magic : kMagics)
    if (fields.has(magic)) return magic.format;
  return Format::raw;
}

Result<Facts> look_at(const File& image) {
  Facts facts;
  HF_TRY(facts.file_size, image.size());
  Bytes bytes(kStart);
  HF_TRY(const std::size_t got, image.read_at(0, bytes));
  const Fields start(ByteView{bytes}.first(got));

  facts.format = format_of(ByteView{bytes}.first(got));
  if (facts.format == Format::qcow || facts.format == Format::qcow2) {
    facts.version = start.u32(4);
    facts.version == 1 ? look_at_qcow(start, facts) : look_at_qcow2(start, facts);
    return facts;
  }
  // A VHD of fixed size has its mark at the end.
  if (facts.format == Format::raw && facts.file_size >= kFooter) {
    Bytes end(kFooter);
    HF_CHECK(image.read_at(facts.file_size - kFooter, end));
    if (Fields(end).has(Magic{"conectix", 0, Format::vhd})) facts.format = Format::vhd;
  }
  return facts;
}

}  // namespace holdfast::foreign
