// Periods of the calendar, in UTC: each as a number that grows with time.
#pragma once

#include <cstdint>

#include "catalog/base/clock.h"

namespace holdfast {

std::int64_t hour_of(Time time);
std::int64_t day_of(Time time);
std::int64_t week_of(Time time);  // from Monday to Sunday
std::int64_t month_of(Time time);
std::int64_t year_of(Time time);

}  // namespace holdfast
