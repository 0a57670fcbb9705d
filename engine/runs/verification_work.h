// What a job does that verifies points.
#pragma once

#include <vector>

#include "engine/capture/services.h"
#include "engine/runs/work.h"
#include "engine/verify/verify.h"

namespace holdfast::runs {

// The services outlive it.
decltype(Work::perform) verification_work(const capture::Services& services, verify::Wanted wanted,
                                          VerifyLevel level);

}  // namespace holdfast::runs
