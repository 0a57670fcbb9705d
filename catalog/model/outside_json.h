// JSON that somebody else has written: a guest's agent, a hypervisor, whoever writes to a repository.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "catalog/base/error.h"

namespace holdfast::json {

// Parses text within limits of depth and count that no honest writer reaches, because copying and printing a
// deep value recurses, and many small values take much more memory than their text. EPROTO for anything else.
// The caller limits the text's size.
Result<nlohmann::json> parse_outside(std::string_view text);

}  // namespace holdfast::json
