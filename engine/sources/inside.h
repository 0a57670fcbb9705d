// Range checks that all disk readers share.
#pragma once

#include <string_view>

#include "engine/sources/driver.h"

namespace holdfast::source {

inline Result<> check_inside(const Range& range, std::uint64_t size, std::string_view disk) {
  if (range.offset <= size && range.length <= size - range.offset) return {};
  return fail(EINVAL, "{} bytes at {} are not inside {} of {} bytes", range.length, range.offset, disk, size);
}

inline Result<> check_inside(std::span<const Range> ranges, std::uint64_t size, std::string_view disk) {
  for (const Range& range : ranges) HF_CHECK(check_inside(range, size, disk));
  return {};
}

}  // namespace holdfast::source
