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

}  // namespace holdfast::source::nbd
