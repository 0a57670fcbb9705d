// Tells where two disks differ.
#pragma once

#include <cstdint>

#include "catalog/base/error.h"
#include "engine/image/stack.h"

namespace holdfast::image {

struct DifferenceExtent {
  bool differs = false;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

enum class Compare {
  places,    // two extents are the same only if both lie at the same place of the same image
  contents,  // extents at different places are read and compared, cluster by cluster of `a`
};

// Returns the extent at `offset`, at most `at_most` long, with equal neighbours joined. Beyond the end of the
// shorter disk, the disks differ. EINVAL beyond the end of the longer disk. Comparing places reads tables
// only.
Result<DifferenceExtent> difference(const Stack& a, const Stack& b, std::uint64_t offset,
                                    std::uint64_t at_most, Compare compare);

}  // namespace holdfast::image
