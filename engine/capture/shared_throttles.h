// The limits of bytes a second that a backup shares with others.
#pragma once

#include <memory>
#include <vector>

#include "engine/capture/services.h"

namespace holdfast::capture {

// Of the repository, of the machine, and of the source that the machine is in, if it is in one.
Result<std::vector<std::shared_ptr<Throttle>>> shared_throttles(const Services& services,
                                                                const Machine& machine,
                                                                const Repository& repository);

}  // namespace holdfast::capture
