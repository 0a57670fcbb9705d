// Work of a job that verifies points.
#pragma once

#include <string>

#include "engine/common/services.h"
#include "engine/runs/work.h"
#include "engine/verify/verify.h"

namespace holdfast::runs {

// `services` must outlive the work.
decltype(Work::perform) verification_work(const capture::Services& services, verify::Wanted wanted,
                                          VerifyLevel level);

// Returns what the job's `metadata` shows of a verification.
std::string metadata_of(VerifyLevel level, const verify::VerifyOutcome& outcome);

}  // namespace holdfast::runs
