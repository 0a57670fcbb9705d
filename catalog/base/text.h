// Sizes, durations and names, as people write them.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/base/error.h"

namespace holdfast {

// "64K", "2G", "4096" → bytes.
Result<std::uint64_t> parse_size(std::string_view text);
// "0%" to "100%" → 0 to 100.
Result<int> parse_percent(std::string_view text);
// "90s", "15m", "4h", "30d" → seconds. At most a hundred years: so no sum of a time and a span leaves what a
// clock can show.
constexpr std::chrono::seconds kLongestDuration = std::chrono::days{36500};
Result<std::chrono::seconds> parse_duration(std::string_view text);
// Prints as parse_duration reads, in the largest unit that divides the span; one day is 24h.
std::string print_duration(std::chrono::seconds span);

// The text as it may be shown: other characters than printable ASCII become '?'.
std::string printable(std::string_view text);

// Whether the text is UTF-8.
bool is_utf8(std::string_view text);

// Letters, digits, '.', '_', '-'; 1 to 128 bytes; no leading dot; not "error", the fixed file that objects of
// all kinds have.
Result<> check_name(std::string_view name);

// The candidate that a hasty hand most likely meant, or "" when none is near.
std::string nearest(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace holdfast
