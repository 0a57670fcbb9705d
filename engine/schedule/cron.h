// Cron's five fields, and the minutes of a calendar that they match. Time zones are not known here.
#pragma once

#include <cctz/civil_time.h>

#include <bitset>
#include <optional>
#include <string_view>

#include "catalog/base/error.h"

namespace holdfast::schedule {

// A value.
//
//   minute 0-59   hour 0-23   day of month 1-31   month 1-12 or jan-dec   day of week 0-7 or sun-sat
//
// Each field is *, a number or name, a range, * or a range with a step (*/5, 8-18/2), or a list of these; in
// capitals or not. Instead of fields: @hourly, @daily, @midnight, @weekly, @monthly, @yearly or @annually. If
// day of month and day of week are both given, and neither begins with *, either match suffices.
class Cron {
 public:
  // Returns EINVAL naming the field and what it may be. Does not check whether a match ever comes.
  static Result<Cron> parse(std::string_view text);

  // Returns the first match at or after `from`; nullopt if none comes within 41 years.
  std::optional<cctz::civil_minute> next(cctz::civil_minute from) const;

  // True if the hour is * or has a step: every instant counts whose clock matches, also around clock changes.
  // False: the hours are fixed hours of a day.
  bool runs_by_the_clock() const { return runs_by_the_clock_; }

  // True if a match can come at this minute of this weekday, in some week of the calendar.
  bool may_come(cctz::weekday day, int hour, int minute) const;

 private:
  bool has(cctz::civil_day day) const;

  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<7> weekdays_;  // Sunday is bit 0
  bool either_day_ = false;
  bool runs_by_the_clock_ = false;
};

}  // namespace holdfast::schedule
