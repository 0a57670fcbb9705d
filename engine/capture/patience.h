// Waiting that a cancel ends.
#pragma once

#include <chrono>

#include "catalog/base/error.h"
#include "engine/sources/driver.h"

namespace holdfast::capture {

// ECANCELED soon after the cancel, which is null where nobody can.
Result<> wait_until(std::chrono::steady_clock::time_point end, const source::Cancel* cancel);

}  // namespace holdfast::capture
