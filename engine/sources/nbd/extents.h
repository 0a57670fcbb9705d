// The extents that an NBD server reports, validated (law 7).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/sources/driver.h"

namespace holdfast::source::nbd {

// The answer of one meta context to a block status request: pairs of length and flags, from the request's
// offset on. It may end before or after the request's end.
using Status = std::vector<std::uint32_t>;

// Returns extents from `offset` on, up to `length` or to the end of the shorter answer; neighbours of one
// kind are joined. `allocation` is the answer of base:allocation, `changes` that of a bitmap; null if not
// asked for. EPROTO if an answer has no pairs, or an empty extent.
Result<std::vector<Extent>> combine(std::uint64_t offset, std::uint64_t length, const Status* allocation,
                                    const Status* changes);

// Appends `more`, which begins where `extents` ends, and joins neighbours of one kind.
void append(std::vector<Extent>& extents, std::span<const Extent> more);

// The most extents that a server may need for so many bytes: one for each sector, and a few for the ends.
constexpr std::uint64_t most_extents(std::uint64_t bytes) { return bytes / 512 + 1024; }

// Collects extents without gaps that lead to `end`, and keeps at most one for each 4 KiB, the smallest
// cluster of a repository. A grain with several kinds is changed if any of its bytes is, and zero if all are.
class Grains {
 public:
  explicit Grains(std::uint64_t end) : end_(end) {}

  void add(const Extent& extent);
  std::vector<Extent> take() { return std::move(extents_); }

 private:
  const std::uint64_t end_;
  std::vector<Extent> extents_;
  Extent open_;  // the grain in which the last extent ended; without bytes if the extent ended with it
};

}  // namespace holdfast::source::nbd
