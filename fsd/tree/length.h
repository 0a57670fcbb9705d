#pragma once

#include <cstdint>

#include "catalog/base/clock.h"

namespace holdfast::tree {

// The size of a text that grows, and the time of its last change.
struct Length {
  std::uint64_t bytes = 0;
  Time changed_at{};
};

}  // namespace holdfast::tree
