// Identities that the program makes itself, so that no database's way of numbering matters.
#pragma once

#include <cstdint>
#include <string>

namespace holdfast {

// Positive, never reused, growing: milliseconds since 1970 above, ten bits of counter below, so that it
// stays under 2^53 and survives a JSON reader that knows only doubles. 0 means "none".
using Id = std::int64_t;

// Greater than every id that this process made before, and than every floor that it was given: a clock
// that jumps back does no harm.
Id new_id();

// What an earlier life has used: told once at start.
void new_ids_start_above(Id floor);

// From the kernel's generator, for names that must never be guessed or met again.
std::string random_hex(std::size_t bytes);

}  // namespace holdfast
