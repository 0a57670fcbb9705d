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
// Where a host cluster's sum is.
constexpr std::uint64_t sum_offset(std::uint64_t cluster) { return kSumsHeaderBytes + cluster * sizeof(Sum); }

struct SumsHeader {
  Geometry geometry;
  ImageId id{};
  std::uint64_t clusters = 0;

  static Result<SumsHeader> read(const File& sums);  // EIO when it is damaged
  // EIO when either file is not as long as it was written.
  Result<> check_sizes(const File& image, const File& sums) const;
  Bytes print() const;
};

// Collects sums as clusters are written, in any order, and writes them out from the front, so that only
// those of the stretch that grows are in memory. Not for several threads at once.
class SumsWriter {
 public:
  explicit SumsWriter(File& file) : file_(file) {}

  void set(std::uint64_t cluster, const Sum& sum);
  // Every cluster below `end`, but the header's (0), has been set and won't change.
  Result<> settle(std::uint64_t end);
  // All are settled; the header's sum is the last that was missing. Durable afterwards; the SHA-256 of the
  // file is returned.
  Result<std::string> finish(const SumsHeader& header, const Sum& first);

 private:
  File& file_;
  std::uint64_t base_ = 1;
  std::vector<Sum> window_;  // from base_ on
};

}  // namespace holdfast::image
