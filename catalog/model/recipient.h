// Recipient of notices about a flow's executions, as a definition has it: "failure https://example.org/path".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "catalog/model/enumerations.h"

namespace holdfast {

struct Recipient {
  NoticeWhen when = NoticeWhen::failure;
  std::string url;  // http or https
};

// Returns nullopt when the text is not of that form.
std::optional<Recipient> parse_recipient(std::string_view text);

}  // namespace holdfast
