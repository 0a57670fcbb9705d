// Mounts of this host.
#pragma once

#include <string>

#include "catalog/base/error.h"

namespace holdfast {

// Whether a file system is mounted on the path or below it. A symbolic link is not followed at its end.
Result<bool> has_mount_in(const std::string& path);

}  // namespace holdfast
