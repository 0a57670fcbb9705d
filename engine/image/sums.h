// The sidecar of an image: one XXH3-128 for every host cluster, tables and header included.
//
// All numbers are big-endian.
//
//     0   8  "HOLDSUMS"
//     8   4  version, 1
//    12   4  the image's cluster size
//    16  16  the image's id, as in its header extension
//    32   8  n, the image's host clusters; the image is n clusters long
//    40   8  0
//    48  16  XXH3-128 of the 48 bytes before
//    64 16n  XXH3-128 of host cluster 0, 1, … n-1, in XXH128's canonical form
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "catalog/base/bytes.h"
#include "catalog/base/disk.h"
#include "catalog/base/error.h"
#include "engine/image/format.h"
#include "engine/image/writer.h"

namespace holdfast::image {

using Sum = std::array<std::byte, 16>;
Sum sum_of(ByteView bytes);

constexpr std::size_t kSumsHeaderBytes = 64;
// The offset of a host cluster's sum in the file.
constexpr std::uint64_t sum_offset(std::uint64_t cluster) { return kSumsHeaderBytes + cluster * sizeof(Sum); }

struct SumsHeader {
  Geometry geometry;
  ImageId id{};
  std::uint64_t clusters = 0;

  static Result<SumsHeader> read(const File& sums);  // EIO if the header is damaged
  // EIO if either file's size is not the recorded one.
  Result<> check_sizes(const File& image, const File& sums) const;
  Bytes print() const;
};

// Collects the sums of clusters in any order and writes them from the front on, so memory holds only the
// growing stretch. One thread at a time.
class SumsWriter {
 public:
  explicit SumsWriter(File& file) : file_(file) {}

  void set(std::uint64_t cluster, const Sum& sum);
  // Writes the sums below `end`. All of them but the header cluster's (0) have been set and won't change.
  Result<> settle(std::uint64_t end);
  // Writes the header and the sum of cluster 0, the last that was missing, then syncs. Returns the file's
  // SHA-256. All other sums are settled.
  Result<std::string> finish(const SumsHeader& header, const Sum& first);

 private:
  File& file_;
  std::uint64_t base_ = 1;
  std::vector<Sum> window_;  // the sums from cluster base_ on
};

}  // namespace holdfast::image
