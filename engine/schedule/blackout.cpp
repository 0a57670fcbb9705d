#include "engine/schedule/blackout.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>

namespace holdfast::schedule {
namespace {

constexpr int kDay = 24 * 60;  // minutes
constexpr auto kNames = std::to_array<std::string_view>({"mon", "tue", "wed", "thu", "fri", "sat", "sun"});

std::size_t day_of(cctz::civil_day day) { return static_cast<std::size_t>(cctz::get_weekday(day)); }

std::optional<std::size_t> weekday(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kNames.begin());
}

// Parses "mon,wed-fri". A range may wrap around, like fri-mon.
std::optional<std::bitset<7>> weekdays(std::string_view text) {
  std::bitset<7> days;
  while (true) {
    const auto end = std::min(text.find(','), text.size());
    const std::string_view part = text.substr(0, end);
    const auto dash = part.find('-');
    const auto first = weekday(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : weekday(part.substr(dash + 1));
    if (!first || !last) return std::nullopt;
    for (std::size_t day = *first;; day = (day + 1) % 7) {
      days.set(day);
      if (day == *last) break;
    }
    if (end == text.size()) return days;
    text.remove_prefix(end + 1);
  }
}

// Parses "08:30" into minutes since midnight.
std::optional<int> minute_of_day(std::string_view text) {
  const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; };
  if (text.size() != 5 || text[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4))
    return std::nullopt;
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  if (minute > 59 || hour * 60 + minute > kDay) return std::nullopt;
  return hour * 60 + minute;
}

}  // namespace

Result<Blackout> Blackout::parse(std::string_view text) {
  const auto wrong = [&] {
    return fail(EINVAL, "'{}' is no window of time; write it as 22:00-06:00, sat-sun or mon-fri 08:00-18:00",
                text);
  };
  std::string plain{text};
  std::ranges::transform(plain, plain.begin(), [](unsigned char c) { return std::tolower(c); });
  std::string_view rest = plain;

  Blackout window;
  window.weekdays_.set();
  window.end_ = kDay;
  if (!rest.empty() && std::isalpha(static_cast<unsigned char>(rest.front()))) {
    const auto end = std::min(rest.find(' '), rest.size());
    const auto days = weekdays(rest.substr(0, end));
    if (!days) return wrong();
    window.weekdays_ = *days;
    if (end == rest.size()) return window;
    rest.remove_prefix(end + 1);
  }
  const auto dash = std::min(rest.find('-'), rest.size());
  const auto begin = minute_of_day(rest.substr(0, dash));
  const auto end = dash < rest.size() ? minute_of_day(rest.substr(dash + 1)) : std::nullopt;
  if (!begin || !end || *begin == kDay || *begin == *end) return wrong();
  window.begin_ = *begin;
  window.end_ = *end;
  return window;
}

bool Blackout::covers(cctz::civil_minute shown) const {
  const cctz::civil_day today(shown);
  const int minute = shown.hour() * 60 + shown.minute();
  const bool is_of_today = weekdays_[day_of(today)];
  if (begin_ < end_) return is_of_today && minute >= begin_ && minute < end_;
  return (is_of_today && minute >= begin_) || (weekdays_[day_of(today - 1)] && minute < end_);
}

}  // namespace holdfast::schedule
