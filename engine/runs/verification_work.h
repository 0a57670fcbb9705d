// Targets of verifications and repairs, and the work of a job that verifies points.
#pragma once

#include <optional>
#include <string>

#include "engine/common/observer.h"
#include "engine/common/services.h"
#include "engine/runs/work.h"
#include "engine/verify/verify.h"

namespace holdfast::runs {

struct VerifyTarget {
  std::string path;  // "machines/m/points/T"
  std::optional<Id> machine, repository;
  verify::Wanted wanted;
};
// Returns what the point, machine or repository has; EINVAL for another kind of object.
Result<VerifyTarget> find_target(db::Connection& db, ObjectKind kind, Id object);

// `services` must outlive the work.
decltype(Work::perform) verification_work(const capture::Services& services, verify::Wanted wanted,
                                          VerifyLevel level);

// Returns what the job's `metadata` shows of a verification.
std::string metadata_of(VerifyLevel level, const verify::VerifyOutcome& outcome);

}  // namespace holdfast::runs
