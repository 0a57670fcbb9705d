// Computes when a rule comes: cron in a time zone, or a fixed span repeated.
#pragma once

#include <cctz/time_zone.h>

#include <chrono>
#include <optional>
#include <string>
#include <variant>

#include "catalog/base/clock.h"
#include "engine/schedule/cron.h"

namespace holdfast::schedule {

// Finds a zone by its tzdata name. EINVAL if it is unknown.
Result<cctz::time_zone> find_zone(const std::string& name);

// Returns the zone's next clock change; nullopt if none comes.
std::optional<std::chrono::sys_seconds> next_change(const cctz::time_zone& zone,
                                                    std::chrono::sys_seconds after);

// Cron's fields, read off the wall clock of a zone. A fixed hour that the clock skips comes once, right after
// the gap; one that it shows twice comes the first time. A cron that runs by the clock (cron.h) comes at
// every matching instant.
struct CronRule {
  Cron cron;
  cctz::time_zone zone;
};

// Whole spans since 1970 in UTC, so that times stay the same without stored state.
struct EveryRule {
  std::chrono::seconds span;
};

using Rule = std::variant<CronRule, EveryRule>;

// Returns the first time after `after`; nullopt if none comes. Pure.
std::optional<Time> next(const Rule& rule, Time after);

}  // namespace holdfast::schedule
