// Identities that the program makes itself, so that no database's way of numbering matters.
#pragma once

#include <cstdint>
#include <string>

namespace holdfast {

// Positive, never reused, growing: milliseconds since 1970 above, a counter below. A clock that
// jumps back never makes an id smaller than an earlier one of this process. 0 means "none".
using Id = std::int64_t;

Id new_id();

// From the kernel's generator, for names that must never be guessed or met again.
std::string random_hex(std::size_t bytes);

}  // namespace holdfast
