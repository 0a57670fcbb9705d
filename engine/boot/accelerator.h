#pragma once

#include <string>

#include "catalog/base/error.h"
#include "catalog/model/enumerations.h"
#include "engine/sources/driver.h"

namespace holdfast::boot {

// Returns KVM if a probe guest boots with it within seconds, else TCG, because a /dev/kvm that opens may
// still run guests slower than TCG does, or not at all. The answer is kept for the life of the process.
// ECANCELED after a cancel.
Result<Accelerator> fastest_accelerator(const std::string& scratch, const source::Cancel& cancel);

}  // namespace holdfast::boot
