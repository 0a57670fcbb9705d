#pragma once

#include <cstdint>

namespace holdfast::image {

// The largest disk that is read from a source or from another program's image: four times the largest one of
// VMware. A peer can claim so many bytes that nobody lives to see them read.
constexpr std::uint64_t kLargestDisk = std::uint64_t{256} << 40;

}  // namespace holdfast::image
