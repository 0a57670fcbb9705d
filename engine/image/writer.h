// Writes one qcow2 v3 image by appending; an unfinished file can't be mistaken for an image.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "catalog/base/bytes.h"
#include "catalog/base/disk.h"
#include "catalog/base/error.h"

namespace holdfast::image {

enum class Codec { zstd, deflate, none };

using ImageId = std::array<std::byte, 16>;
ImageId new_image_id();
std::string hex(const ImageId& id);
std::optional<ImageId> id_of(std::string_view hex);

struct WriterOptions {
  std::uint64_t virtual_size = 0;
  std::uint32_t cluster_size = 65536;  // a power of two, 512 to 2 MiB
  Codec codec = Codec::zstd;
  int level = 1;
  std::string backing_file;  // relative to the image's directory; empty: a full
  ImageId id{};
  unsigned compressors = 2;  // threads; the writer owns them
};

struct WriterSummary {
  std::uint64_t file_bytes = 0;    // size of the image file
  std::uint64_t stored_bytes = 0;  // disk space of image and sums, without holes
  std::uint64_t data_bytes = 0;    // virtual bytes stored as data
  std::uint64_t zero_bytes = 0;    // virtual bytes stored as explicit zeros
  std::string sums_sha256;
};

// Writes one image. Data comes segment by segment (512 MiB of the disk each) in ascending order. Within a
// segment clusters come in any order and from several threads, each at most once. A cluster that never comes
// is a hole: it reads from the backing file, or as zeros in a full.
//
// Durable order: data and each segment's L2 tables; sync; L1 and refcounts; sync; the header cluster, which
// is the commit record; sync. The checksum of every stored host cluster goes into `sums` while the image
// grows; the sums are synced before the header (law 2).
//
// A file error, or a cluster that comes twice, ends the writing: every later call returns that error, and no
// image exists. A call out of order or range returns EINVAL and changes nothing.
class Writer {
 public:
  // Both files are new and empty, and outlive the writer.
  static Result<std::unique_ptr<Writer>> create(File& image, File& sums, const WriterOptions& options);
  virtual ~Writer() = default;

  static constexpr std::uint64_t kSegment = 512 * kMiB;

  // Takes whole, aligned clusters; the disk's end may cut the last one off. Copies them, and waits while the
  // compressors are behind. A cluster of zeros becomes a hole in a full, an explicit zero in an increment.
  virtual Result<> write(std::uint64_t offset, ByteView data) = 0;
  // Makes an area of whole clusters (or up to the disk's end) read as zeros: as holes in a full, as explicit
  // zeros in an increment, so that the parent doesn't show through (law 6).
  virtual Result<> zero(std::uint64_t offset, std::uint64_t length) = 0;
  // Writes the tables of the segment that contains `offset`, after its clusters are stored. All of it has
  // come.
  virtual Result<> finish_segment(std::uint64_t offset) = 0;
  // Writes tables, refcounts and header; then the image is complete and durable. Call once.
  virtual Result<WriterSummary> finish() = 0;
};

// Writes an image without data, for QEMU to write into (scratch space). It is not synced, because it is
// useless after a crash.
Result<> write_empty_image(File& file, std::uint64_t virtual_size, std::uint32_t cluster_size);

}  // namespace holdfast::image
