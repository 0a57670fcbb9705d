#include "engine/schedule/timetable.h"

#include <algorithm>

namespace holdfast::schedule {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Longer spans are meaningless, and sums of a span and a time must not overflow.
constexpr seconds kLongestSpan = days{3660};
constexpr seconds kLongestJitter = hours{24};
constexpr days kLookBack{366};
constexpr int kMostTries = 1000;

tl::unexpected<Error> wrong(std::string_view field, std::string_view found, const Error& why) {
  return fail(EINVAL, "field \"{}\" is \"{}\": {}", field, found, why.message);
}

Result<Rule> rule_of(const ScheduleDefinition& definition, const cctz::time_zone& zone) {
  if (definition.every) {
    if (*definition.every > kLongestSpan)
      return fail(EINVAL, "field \"every\" is {}s; it must be at most 3660d", definition.every->count());
    return EveryRule{*definition.every};
  }
  const auto cron = Cron::parse(definition.cron);
  if (!cron) return wrong("cron", definition.cron, cron.error());
  constexpr cctz::civil_minute kAnyTime(2000, 1, 1);
  if (!cron->next(kAnyTime))
    return fail(EINVAL, "field \"cron\" is \"{}\": that day never comes; its months have no such day",
                definition.cron);
  return CronRule{*cron, zone};
}

// Spreads similar values over all 64 bits (the last steps of SplitMix64).
std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

}  // namespace

Result<Timetable> Timetable::of(const ScheduleDefinition& definition) {
  const auto zone = find_zone(definition.timezone);
  if (!zone) return wrong("timezone", definition.timezone, zone.error());
  HF_TRY(Rule rule, rule_of(definition, *zone));
  Timetable table(std::move(rule), *zone);
  for (std::size_t i = 0; i < definition.blackout.size(); ++i) {
    const auto window = Blackout::parse(definition.blackout[i]);
    if (!window) return wrong(fmt::format("blackout[{}]", i), definition.blackout[i], window.error());
    table.blackouts_.push_back(*window);
  }
  if (definition.jitter > kLongestJitter)
    return fail(EINVAL, "field \"jitter\" is {}s; it must be at most 24h", definition.jitter.count());
  table.jitter_ = definition.jitter;
  return table;
}

bool Timetable::is_blacked_out(Time at) const {
  const cctz::civil_minute shown(cctz::convert(std::chrono::floor<seconds>(at), zone_));
  return std::ranges::any_of(blackouts_, [&](const Blackout& window) { return window.covers(shown); });
}

std::optional<Time> Timetable::open_from(Time at) const {
  constexpr auto kLongestWindow = days{8};
  for (Time later = at; later < at + kLongestWindow; later = std::chrono::floor<minutes>(later) + minutes{1})
    if (!is_blacked_out(later)) return later;
  return std::nullopt;
}

std::optional<Time> Timetable::next_open(Time after) const {
  auto at = next(after);
  for (int i = 0; at && i < kMostTries; ++i) {
    const auto open = open_from(*at);
    if (!open || open == at) return open;
    at = next(*open - milliseconds{1});
  }
  return std::nullopt;
}

std::optional<Time> Timetable::next_start(Time after, Id schedule, Id flow) const {
  // A time that has passed may still have its start ahead, because of jitter.
  auto at = next_open(after - jitter_);
  for (int i = 0; at && i < kMostTries; ++i, at = next_open(*at)) {
    const Time moment = start(*at, schedule, flow);
    if (moment > after && !is_blacked_out(moment)) return moment;
  }
  return std::nullopt;
}

std::vector<Time> Timetable::between(Time after, Time until, std::size_t at_most) const {
  std::vector<Time> newest;
  // Reads few of frequent times and all of rare ones: the span grows until it holds enough.
  for (auto span = milliseconds(hours{1});; span *= 8) {
    const Time from = std::max(after, until - std::min<milliseconds>(span, kLookBack));
    newest.clear();
    for (auto at = next(from); at && *at <= until; at = next(*at)) newest.push_back(*at);
    if (newest.size() >= at_most || from == after || span >= kLookBack) break;
  }
  if (newest.size() > at_most)
    newest.erase(newest.begin(), newest.end() - static_cast<std::ptrdiff_t>(at_most));
  return newest;
}

Time Timetable::start(Time planned, Id schedule, Id flow) const {
  const auto span = static_cast<std::uint64_t>(milliseconds(jitter_).count());
  if (span == 0) return planned;
  const auto of = [](std::int64_t number) { return static_cast<std::uint64_t>(number); };
  const std::uint64_t drawn =
      mixed(mixed(mixed(of(schedule)) + of(flow)) + of(planned.time_since_epoch().count()));
  return planned + milliseconds{drawn % (span + 1)};
}

}  // namespace holdfast::schedule
