// Walks along a path of the host. Waits for each file system on the way: call look_up() instead, which
// doesn't.
#pragma once

#include <functional>
#include <set>

#include "catalog/base/host_path.h"

namespace holdfast {

// The error of a look that waits, or would wait, for a mount that hangs.
tl::unexpected<Error> does_not_answer(const std::string& path);

// Returns the errors of look_up(). Calls `enters` with the id of each mount before the mount is asked; enters
// none of `hanging`.
Result<HostPath> walk_to(const std::string& path, Look look, const std::set<std::uint64_t>& hanging,
                         const std::function<void(std::uint64_t mount)>& enters);

}  // namespace holdfast
