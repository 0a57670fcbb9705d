// The sums of a disk's content: one XXH3-128 for each cluster, in the disk's order. They tell which clusters
// of the disk have changed, without reading its stored layers.
//
// All numbers are big-endian.
//
//     0   8  "HOLDCONT"
//     8   4  version, 1
//    12   4  the cluster size
//    16  16  the id of the image that was written with them
//    32   8  the disk's size in bytes
//    40   8  0
//    48  16  XXH3-128 of the 48 bytes before
//    64 16n  XXH3-128 of cluster 0, 1, … n-1 of the disk, in XXH128's canonical form
//
// The disk's end may cut the last cluster off. A cluster of zeros has a sum of zeros, so an unused part of
// the disk is a hole in this file, too.
//
// Equal sums count as equal content. XXH3-128 is no cryptographic hash: blocks with equal sums can be made on
// purpose. An owner who makes them gains nothing, because he hides a change from his own backup. By accident
// two different clusters have equal sums once in 2^128; a disk of 16 TiB that changes wholly each day has
// 2^28 chances a day. The images' own checks rely on the same sums.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "catalog/base/disk.h"
#include "engine/image/sums.h"

namespace holdfast::image {

// The sum of a cluster. The disk's end may cut its last cluster off.
Sum content_sum(ByteView cluster);
constexpr Sum kZeroContent{};

struct ContentShape {
  std::uint32_t cluster_size = 0;
  std::uint64_t disk_size = 0;
  ImageId id{};

  std::uint64_t clusters() const { return divide_up(disk_size, std::uint64_t{cluster_size}); }
  bool operator==(const ContentShape&) const = default;
};

// Writes the sums of consecutive clusters; clusters without a sum count as zeros. One thread at a time.
class ContentWriter {
 public:
  // `file` is new and empty, and outlives the writer.
  static Result<ContentWriter> create(File& file, const ContentShape& shape);

  Result<> write(std::uint64_t first_cluster, std::span<const Sum> sums);
  // Syncs the file and returns its SHA-256.
  Result<std::string> finish();

 private:
  explicit ContentWriter(File& file) : file_(&file) {}

  File* file_;
};

// Any thread may call.
class ContentReader {
 public:
  // EIO, with a sentence, unless the file is, byte for byte, the one written with that image of such a disk.
  static Result<ContentReader> open(std::unique_ptr<File> file, const ContentShape& shape,
                                    const std::string& sha256);

  Result<std::vector<Sum>> read(std::uint64_t first_cluster, std::size_t count) const;

 private:
  explicit ContentReader(std::unique_ptr<File> file) : file_(std::move(file)) {}

  std::unique_ptr<File> file_;
};

}  // namespace holdfast::image
