// Time as the project uses it: UTC, in milliseconds, behind an interface that tests replace.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "catalog/base/error.h"

namespace holdfast {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
};

// The machine's own clock.
Clock& system_clock();

std::string iso_time(Time time);    // 2026-11-20T02:00:00Z
std::string point_name(Time time);  // 2026-11-20T02-00-00Z, fit for a file name
Result<Time> parse_iso_time(std::string_view text);

}  // namespace holdfast
