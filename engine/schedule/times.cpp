#include "engine/schedule/times.h"

#include <algorithm>

namespace holdfast::schedule {
namespace {

using std::chrono::floor;
using std::chrono::seconds;
using Instant = std::chrono::sys_seconds;
using Lookup = cctz::time_zone::civil_lookup;

// Accepts letters, digits, '_', '-' and '+' between slashes; each part begins with a capital, as in tzdata.
// This keeps file paths from reaching the library.
bool is_zone_name(const std::string& name) {
  bool begins = true;
  for (const char c : name) {
    const bool is_capital = c >= 'A' && c <= 'Z';
    const bool is_other =
        (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '+';
    if (begins ? !is_capital : !is_capital && !is_other && c != '/') return false;
    begins = c == '/';
  }
  return !begins && name.size() <= 64;
}

// Converts a wall-clock minute as fixed hours are treated: a skipped one is the end of the gap, a repeated
// one the first.
Instant fixed_instant(const cctz::time_zone& zone, cctz::civil_minute at) {
  const Lookup found = zone.lookup(cctz::civil_second(at));
  return found.kind == Lookup::SKIPPED ? found.trans : found.pre;
}

// Wall-clock minutes are tried in order, and instants grow with them, so the first one after `after` is the
// earliest.
std::optional<Instant> next_fixed(const CronRule& rule, Instant after) {
  auto at = rule.cron.next(cctz::civil_minute(cctz::convert(after, rule.zone)));
  while (at) {
    const Instant instant = fixed_instant(rule.zone, *at);
    if (instant > after) return instant;
    at = rule.cron.next(*at + 1);
  }
  return std::nullopt;
}

// Searches from one clock change to the next, because between them the wall clock runs evenly.
std::optional<Instant> next_by_the_clock(const CronRule& rule, Instant after) {
  constexpr int kMostChanges = 100;
  Instant from = after + seconds{1};
  for (int i = 0; i < kMostChanges; ++i) {
    const cctz::civil_second shown = cctz::convert(from, rule.zone);
    cctz::civil_minute minute(shown);
    if (cctz::civil_second(minute) < shown) ++minute;
    const auto at = rule.cron.next(minute);
    if (!at) return std::nullopt;
    const Instant instant = from + seconds{cctz::civil_second(*at) - shown};
    const auto change = next_change(rule.zone, from);
    if (!change || instant < *change) return instant;
    from = *change;
  }
  return std::nullopt;
}

std::optional<Time> next_of(const CronRule& rule, Time after) {
  const Instant instant = floor<seconds>(after);
  const auto next =
      rule.cron.runs_by_the_clock() ? next_by_the_clock(rule, instant) : next_fixed(rule, instant);
  return next ? std::optional<Time>(*next) : std::nullopt;
}

std::optional<Time> next_of(const EveryRule& rule, Time after) {
  const auto since = floor<seconds>(after).time_since_epoch();
  const auto spans = since / rule.span - (since % rule.span < seconds{0} ? 1 : 0);
  return Time{(spans + 1) * rule.span};
}

}  // namespace

Result<cctz::time_zone> find_zone(const std::string& name) {
  cctz::time_zone zone;
  if (is_zone_name(name) && cctz::load_time_zone(name, &zone)) return zone;
  return fail(EINVAL, "there is no time zone '{}'; zones are called UTC, Europe/Berlin or America/New_York",
              name);
}

std::optional<Instant> next_change(const cctz::time_zone& zone, Instant after) {
  cctz::time_zone::civil_transition change;
  if (!zone.next_transition(after, &change)) return std::nullopt;
  const Lookup found = zone.lookup(change.to);
  return found.kind == Lookup::REPEATED ? found.trans : found.pre;
}

std::optional<Time> next(const Rule& rule, Time after) {
  return std::visit([&](const auto& one) { return next_of(one, after); }, rule);
}

}  // namespace holdfast::schedule
