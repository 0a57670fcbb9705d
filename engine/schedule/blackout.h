// A window of time in which nothing starts.
#pragma once

#include <cctz/civil_time.h>

#include <bitset>
#include <string_view>

#include "catalog/base/error.h"

namespace holdfast::schedule {

// A value, read by the clock of the schedule's zone. The end is not part of the window; 24:00 ends the day.
//
//   22:00-06:00             each night; a window that ends before it begins ends on the next day
//   sat-sun                 whole days: names, ranges and lists (mon,wed-fri), in capitals or not
//   mon-fri 08:00-18:00     hours of these days; a night belongs to the day on which it begins
class Blackout {
 public:
  static Result<Blackout> parse(std::string_view text);  // EINVAL: no window

  bool covers(cctz::civil_minute shown) const;

 private:
  std::bitset<7> weekdays_;  // Monday is bit 0
  int begin_ = 0, end_ = 0;  // minutes of the day
};

}  // namespace holdfast::schedule
