#pragma once

#include <string_view>

namespace holdfast::views {

// The beginning of README.txt at the root of the mount: a summary, and ten commands to start with.
std::string_view readme();

}  // namespace holdfast::views
