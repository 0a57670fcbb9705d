// When a rule comes: cron in a time zone, or a span of time over and over.
#pragma once

#include <cctz/time_zone.h>

#include <chrono>
#include <optional>
#include <string>
#include <variant>

#include "catalog/base/clock.h"
#include "engine/schedule/cron.h"

namespace holdfast::schedule {

// By the name that it has in tzdata. EINVAL: there is none of that name.
Result<cctz::time_zone> find_zone(const std::string& name);

// Cron's fields, read off a wall clock in that zone. Where the clock is put forward, a fixed hour that it
// leaves out comes once, right after the gap; where it is put back, one that it shows twice comes the first
// time. A cron that runs by the clock (cron.h) comes whenever the clock shows it.
struct CronRule {
  Cron cron;
  cctz::time_zone zone;
};

// Whole spans since 1970 began, in UTC: nothing has to be remembered for its times to stay the same.
struct EveryRule {
  std::chrono::seconds span;
};

using Rule = std::variant<CronRule, EveryRule>;

// The first time after that one. Pure. Nothing: it never comes any more.
std::optional<Time> next(const Rule& rule, Time after);

}  // namespace holdfast::schedule
