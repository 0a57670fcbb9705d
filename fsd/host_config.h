// The file named by --config: settings of this host. Only its administrator sets them; they are read at
// start.
#pragma once

#include <string>

#include "catalog/base/error.h"

namespace holdfast {

struct HostConfig {
  std::string hooks = "/etc/holdfast/hooks";  // the directory of the commands that flows may name
};

// Reads the file; an empty path gives the defaults. EINVAL names the wrong field and says what would be
// right.
Result<HostConfig> read_host_config(const std::string& path);
Result<HostConfig> parse_host_config(std::string_view text);

}  // namespace holdfast
