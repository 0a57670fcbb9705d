// What the file that --config names says of this host: what only its administrator sets, and not while the
// daemon runs.
#pragma once

#include <string>

#include "catalog/base/error.h"

namespace holdfast {

struct HostConfig {
  std::string hooks = "/etc/holdfast/hooks";  // the directory of the commands that flows may name
};

// "": the defaults. EINVAL says which field is wrong, and what would be right.
Result<HostConfig> read_host_config(const std::string& path);
Result<HostConfig> parse_host_config(std::string_view text);

}  // namespace holdfast
