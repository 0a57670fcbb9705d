// Where two disks differ.
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
  places,    // what both have from the same place of the same image is the same; all else counts as different
  contents,  // what is not from the same place is read and compared, cluster by cluster of `a`
};

// The extent that `offset` is in, from there on, at most `at_most` long, neighbours joined. What only the
// longer disk has differs; EINVAL beyond its end. Reads tables alone when comparing places.
Result<DifferenceExtent> difference(const Stack& a, const Stack& b, std::uint64_t offset,
                                    std::uint64_t at_most, Compare compare);

}  // namespace holdfast::image
