#pragma once

#include <optional>
#include <string>

#include "catalog/base/clock.h"
#include "catalog/db/connection.h"

namespace holdfast {

// A look at the host's clock and at the time since the host's start.
struct SeenClock {
  Time at{};
  std::string boot;  // the kernel's id of the host's start
  std::chrono::milliseconds uptime{0};
};

// Live inside one transaction.
Result<std::optional<SeenClock>> read_seen_clock(db::Connection& connection);
Result<> write_seen_clock(db::Connection& connection, const SeenClock& seen);

}  // namespace holdfast
