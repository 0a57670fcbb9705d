// Limits of what a definition holds. Each config.schema.json names them. They bind a write alone: a longer
// text that an earlier version stored stays readable.
#pragma once

#include <chrono>
#include <cstddef>

namespace holdfast::json {

constexpr std::size_t kMostItems = 256;     // items of a list
constexpr std::size_t kLongestText = 4096;  // bytes of a text, or of a field's name

// Time that a boot check may take: one runs at a time, and others wait.
constexpr std::chrono::seconds kLongestBoot = std::chrono::hours{1};

}  // namespace holdfast::json
