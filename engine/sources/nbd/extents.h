// What an NBD server says of a disk, checked (law 7).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/sources/driver.h"

namespace holdfast::source::nbd {

// One answer to a block status request, of one meta context: pairs of length and flags, from the request's
// offset on. It may end before the request's end, or past it.
using Status = std::vector<std::uint32_t>;

// Extents from `offset` on, as far as all that is known reaches, and at most `length`; neighbours of a kind
// are joined. `allocation` is of base:allocation, `changes` of a bitmap; null: not asked for. EPROTO for an
// answer without pairs, or with an empty extent: what can't be right is not guessed at.
Result<std::vector<Extent>> combine(std::uint64_t offset, std::uint64_t length, const Status* allocation,
                                    const Status* changes);

// Adds `more`, which goes on where `extents` ends, joining what can be.
void append(std::vector<Extent>& extents, std::span<const Extent> more);

}  // namespace holdfast::source::nbd
