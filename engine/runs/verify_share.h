// A policy's share of a verification: some layers of a repository, read by a job of the daemon's own.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/common/services.h"
#include "engine/runs/work.h"
#include "engine/verify/share.h"

namespace holdfast::runs {

struct VerifyShare {
  Id policy = 0, repository = 0;
  std::string policy_name;
  verify::Portion portion;
  std::vector<verify::Due> due;  // layers to read, in this order
  Time done_until{};             // moved when the job ends, by what it has read
  std::optional<std::uint64_t> bandwidth;
  std::function<bool()> may_go_on;                            // asked before each layer
  std::function<void(const std::vector<Id>& layers)> unread;  // told of layers that could not be read
};

// Records the job. Its work gives way to all other work.
Result<Work> begin_verify_share(const capture::Services& services, VerifyShare share);

}  // namespace holdfast::runs
