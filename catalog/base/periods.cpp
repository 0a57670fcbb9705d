#include "catalog/base/periods.h"

#include <chrono>

namespace holdfast {

using std::chrono::days;

std::int64_t hour_of(Time time) {
  return std::chrono::floor<std::chrono::hours>(time).time_since_epoch().count();
}

std::int64_t day_of(Time time) { return std::chrono::floor<days>(time).time_since_epoch().count(); }

std::int64_t week_of(Time time) {
  constexpr std::int64_t kFirstMonday = 4;  // 1970 began on a Thursday
  constexpr std::int64_t kDays = 7;
  const std::int64_t since = day_of(time) - kFirstMonday;
  return since >= 0 ? since / kDays : (since + 1) / kDays - 1;
}

std::int64_t month_of(Time time) {
  const std::chrono::year_month_day date{std::chrono::floor<days>(time)};
  return static_cast<int>(date.year()) * 12L + static_cast<unsigned>(date.month()) - 1;
}

std::int64_t year_of(Time time) {
  return static_cast<int>(std::chrono::year_month_day{std::chrono::floor<days>(time)}.year());
}

}  // namespace holdfast
