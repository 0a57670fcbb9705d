// Definitions written by users who were shown them with hidden fields (law 19).
#pragma once

#include <string>
#include <string_view>

#include "catalog/base/error.h"

namespace holdfast {

// Returns the written config.json with the present value in place of each field that it repeats as it was
// shown. So a user who changes one field keeps those that the user may not read. Returns the text itself
// where nothing was hidden.
Result<std::string> with_hidden_fields(std::string_view written, const std::string& shown,
                                       const std::string& present);

}  // namespace holdfast
