// Writes one qcow2 v3 image, append-only, so that an unfinished file can't be taken for a finished one.
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
  std::string backing_file;  // relative to the image's directory; empty: a full, which rests on nothing
  ImageId id{};
  unsigned compressors = 2;  // threads; the writer owns them
};

struct WriterSummary {
  std::uint64_t file_bytes = 0;    // size of the image file
  std::uint64_t stored_bytes = 0;  // what image and sums take on disk, holes not counted
  std::uint64_t data_bytes = 0;    // virtual bytes stored as data
  std::uint64_t zero_bytes = 0;    // virtual bytes stored as explicit zeros
  std::string sums_sha256;
};

// One image being written. Data comes segment by segment (512 MiB of the disk each, in ascending
// order); within a segment clusters may come in any order and from several threads, each at most
// once. What never comes is a hole: it reads from the backing file, or as zeros in a full.
//
// Durable order: data and each segment's L2 tables; sync; L1 and refcounts; sync; the header cluster,
// which is the commit record; sync. The checksums of every stored host cluster go into `sums` as the
// image grows and are synced before the header.
//
// After an error of the files, or a cluster that came twice, nothing more is taken: every call returns that
// error, and there is no image. EINVAL for a call out of order or range, which changes nothing.
class Writer {
 public:
  // Both files are new and empty, and outlive the writer.
  static Result<std::unique_ptr<Writer>> create(File& image, File& sums, const WriterOptions& options);
  virtual ~Writer() = default;

  static constexpr std::uint64_t kSegment = 512 * kMiB;

  // Whole clusters, aligned; the disk's last one may be cut off at its end. Copied before it returns; waits
  // while the compressors are behind. Clusters that are all zero are found here: a hole in a full,
  // an explicit zero in an increment.
  virtual Result<> write(std::uint64_t offset, ByteView data) = 0;
  // An area of whole clusters (or to the disk's end) that reads as zero: nothing in a full, explicit zero
  // clusters in an increment, so that the parent can't show through (law 6).
  virtual Result<> zero(std::uint64_t offset, std::uint64_t length) = 0;
  // All of the segment that `offset` is in has come: its tables are written. Waits for its clusters.
  virtual Result<> finish_segment(std::uint64_t offset) = 0;
  // Tables, refcounts, header: after this the image is whole and durable. Call once.
  virtual Result<WriterSummary> finish() = 0;
};

// An empty image with nothing in it but its size, for QEMU to write into (scratch space). Not synced: after a
// crash nobody wants it.
Result<> write_empty_image(File& file, std::uint64_t virtual_size, std::uint32_t cluster_size);

}  // namespace holdfast::image
