// Limits of bytes per second that a backup shares with other jobs.
#pragma once

#include <memory>
#include <vector>

#include "engine/capture/throttle.h"
#include "engine/common/services.h"

namespace holdfast::capture {

// Returns the throttles of the repository, of the machine, and of its source if it has one.
Result<std::vector<std::shared_ptr<Throttle>>> shared_throttles(const Services& services,
                                                                const Machine& machine,
                                                                const Repository& repository);

}  // namespace holdfast::capture
