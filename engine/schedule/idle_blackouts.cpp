// Finds blackouts that can never matter, by marking each minute of a week at which a start can come.
#include <algorithm>
#include <bitset>
#include <numeric>
#include <set>

#include "engine/schedule/timetable.h"

namespace holdfast::schedule {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::int64_t kMinutes = 7 * 24 * 60;
constexpr std::int64_t kSeconds = kMinutes * 60;
using Week = std::bitset<kMinutes>;  // from Monday on, by the clock of the zone

constexpr cctz::civil_minute kMonday(2024, 1, 1);

// Seconds that the zone is ahead of UTC, now and after each change of the coming year.
std::set<std::int64_t> offsets(const cctz::time_zone& zone, Time now) {
  const auto begin = std::chrono::floor<seconds>(now);
  std::set<std::int64_t> found;
  for (auto at = std::optional(begin); at && *at < begin + std::chrono::days{366};
       at = next_change(zone, *at))
    found.insert(zone.lookup(*at).offset);
  return found;
}

Week week_of(const CronRule& rule, const cctz::time_zone&, Time) {
  Week week;
  for (std::int64_t i = 0; i < kMinutes; ++i) {
    const cctz::civil_minute at = kMonday + i;
    week[static_cast<std::size_t>(i)] =
        rule.cron.may_come(cctz::get_weekday(cctz::civil_day(at)), at.hour(), at.minute());
  }
  return week;
}

// Spans that don't divide a week drift through it, in steps of the greatest common divisor.
Week week_of(const EveryRule& rule, const cctz::time_zone& zone, Time now) {
  constexpr std::int64_t kThursday = 3 * 24 * 3600;  // 1970 began on one
  const std::int64_t step = std::gcd(static_cast<std::int64_t>(rule.span.count()), kSeconds);
  Week week;
  for (const std::int64_t offset : offsets(zone, now))
    for (std::int64_t at = 0; at < kSeconds; at += step)
      week.set(static_cast<std::size_t>((at + kThursday + offset + kSeconds) % kSeconds / 60));
  return week;
}

// Marks the minutes that jitter can move a start to as well.
Week with_jitter(const Week& week, seconds jitter) {
  const std::int64_t span = std::chrono::ceil<minutes>(jitter).count();
  Week all = week;
  std::int64_t left = 0;
  for (std::size_t i = 0; i < 2 * week.size(); ++i) {  // twice, because Sunday's starts reach into Monday
    const std::size_t at = i % week.size();
    if (week[at])
      left = span;
    else if (left-- > 0)
      all.set(at);
  }
  return all;
}

}  // namespace

std::vector<std::size_t> Timetable::idle_blackouts(Time now) const {
  std::vector<std::size_t> idle;
  if (blackouts_.empty()) return idle;
  const Week plain = std::visit([&](const auto& rule) { return week_of(rule, zone_, now); }, rule_);
  const Week week = with_jitter(plain, jitter_);
  for (std::size_t i = 0; i < blackouts_.size(); ++i) {
    bool matters = false;
    for (std::int64_t at = 0; at < kMinutes && !matters; ++at)
      matters = week[static_cast<std::size_t>(at)] && blackouts_[i].covers(kMonday + at);
    if (!matters) idle.push_back(i);
  }
  return idle;
}

}  // namespace holdfast::schedule
