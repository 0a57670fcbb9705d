// Waits that a cancel ends.
#pragma once

#include <chrono>

#include "catalog/base/error.h"
#include "engine/sources/driver.h"

namespace holdfast::capture {

// Returns ECANCELED soon after the cancel. `cancel` may be null.
Result<> wait_until(std::chrono::steady_clock::time_point end, const source::Cancel* cancel);

}  // namespace holdfast::capture
