#pragma once

#include <string>

namespace holdfast::views {

// README.txt at the root of the mount: what this is, and ten commands to start with.
std::string readme();

}  // namespace holdfast::views
