#pragma once

#include <string_view>

namespace holdfast {

constexpr std::string_view kVersion = "0.1.0";

}  // namespace holdfast
