// What a disk held, as sums: one XXH3-128 for each cluster of its content, in the disk's order, whatever
// layers the clusters lie in. Whoever reads the whole disk again can tell by it what has changed, and needs
// neither the data that was stored nor the chain that it is in.
//
// All numbers are big-endian.
//
//     0   8  "HOLDCONT"
//     8   4  version, 1
//    12   4  the cluster size
//    16  16  the id of the image that was written with it
//    32   8  the disk's size in bytes
//    40   8  0
//    48  16  XXH3-128 of the 48 bytes before
//    64 16n  XXH3-128 of cluster 0, 1, … n-1 of the disk, in XXH128's canonical form; the last cluster may be
//    cut
//            off at the disk's end. Zeros for a cluster of zeros: what a disk never used is a hole here, too
//
// Equal sums are taken for equal content. XXH3-128 is no cryptographic hash: who wants to can make two blocks
// with one sum. Nobody gains by that here, since he would hide a change of his own disk from his own backup.
// By accident two different clusters meet once in 2^128, and a disk of 16 TiB that changes whole each day has
// 2^28 chances a day. The images' own checks rest on the same sums.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "catalog/base/disk.h"
#include "engine/image/sums.h"

namespace holdfast::image {

// Of the whole cluster, or of what the disk's end leaves of it.
Sum content_sum(ByteView cluster);
constexpr Sum kZeroContent{};

struct ContentShape {
  std::uint32_t cluster_size = 0;
  std::uint64_t disk_size = 0;
  ImageId id{};

  std::uint64_t clusters() const { return divide_up(disk_size, std::uint64_t{cluster_size}); }
  bool operator==(const ContentShape&) const = default;
};

// Writes the sums of a disk's stretches. What is never written is zeros. One thread at a time.
class ContentWriter {
 public:
  // The file is new and empty, and outlives the writer.
  static Result<ContentWriter> create(File& file, const ContentShape& shape);

  Result<> write(std::uint64_t first_cluster, std::span<const Sum> sums);
  // Durable afterwards; the SHA-256 of the file is returned.
  Result<std::string> finish();

 private:
  explicit ContentWriter(File& file) : file_(&file) {}

  File* file_;
};

// Any thread may call.
class ContentReader {
 public:
  // EIO, with a sentence, when it is not, byte for byte, what was written with that image of such a disk.
  static Result<ContentReader> open(std::unique_ptr<File> file, const ContentShape& shape,
                                    const std::string& sha256);

  Result<std::vector<Sum>> read(std::uint64_t first_cluster, std::size_t count) const;

 private:
  explicit ContentReader(std::unique_ptr<File> file) : file_(std::move(file)) {}

  std::unique_ptr<File> file_;
};

}  // namespace holdfast::image
