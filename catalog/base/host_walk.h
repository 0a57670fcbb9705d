// Walks along a path of the host. Waits for each file system on the way: call look_up() instead, which
// doesn't.
#pragma once

#include "catalog/base/host_path.h"

namespace holdfast {

// The errors of look_up().
Result<HostPath> walk_to(const std::string& path, Look look);

}  // namespace holdfast
