#pragma once

#include <string_view>

namespace holdfast::views {

// How README.txt at the root of the mount begins: what this is, and ten commands to start with.
std::string_view readme();

}  // namespace holdfast::views
