// Identities that the program makes itself, so that no database's way of numbering matters.
#pragma once

#include <cstdint>
#include <string>

namespace holdfast {

// Positive, never reused, growing: milliseconds since 1970 above, ten bits of counter below, so that it
// stays under 2^53 and survives a JSON reader that knows only doubles. 0 means "none".
using Id = std::int64_t;

// Returns an id that is greater than all that this process made, and than every floor it was given, so that a
// clock that jumps back does no harm.
Id new_id();

// Sets the greatest id of an earlier life; called once at start.
void new_ids_start_above(Id floor);

// Random digits from the kernel's generator, for names that nobody can guess and that never repeat.
std::string random_hex(std::size_t bytes);

}  // namespace holdfast
