// The five fields of cron, and which minutes of a calendar they mean. Knows no time zone.
#pragma once

#include <cctz/civil_time.h>

#include <bitset>
#include <optional>
#include <string_view>

#include "catalog/base/error.h"

namespace holdfast::schedule {

//   minute 0-59   hour 0-23   day of month 1-31   month 1-12 or jan-dec   day of week 0-7 or sun-sat
//
// Each is *, a number or a name, a range, any of the first and the last with a step (*/5, 8-18/2), or a list
// of these; in capitals or not. Or one of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually.
// Where day of month and day of week are both given, neither beginning with *, either of them is enough. A
// value.
class Cron {
 public:
  // EINVAL names the field and what it may be. It has not been asked yet whether it ever comes.
  static Result<Cron> parse(std::string_view text);

  // The first minute that it means, not before that one. Nothing: there is none in the years to come.
  std::optional<cctz::civil_minute> next(cctz::civil_minute from) const;

  // Every real instant counts whose clock shows it, also where a clock is put forward or back: the hour is *,
  // or has a step. Else it is a fixed hour of a day.
  bool runs_by_the_clock() const { return runs_by_the_clock_; }

 private:
  bool has(cctz::civil_day day) const;

  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<7> weekdays_;  // Sunday first
  bool either_day_ = false;
  bool runs_by_the_clock_ = false;
};

}  // namespace holdfast::schedule
