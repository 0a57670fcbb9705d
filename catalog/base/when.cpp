#include "catalog/base/when.h"

#include <optional>

#include "catalog/base/text.h"

namespace holdfast {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Takes the text apart from its front.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  bool take(char c) { return take(std::string_view(&c, 1)); }
  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  // Reads exactly so many digits, up to a largest value.
  std::optional<int> number(std::size_t digits, int largest) {
    int value = 0;
    if (rest_.size() < digits) return std::nullopt;
    for (const char c : rest_.substr(0, digits)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(digits);
    return value <= largest ? std::optional{value} : std::nullopt;
  }

 private:
  std::string_view rest_;
};

struct Span {
  Time begin{};
  milliseconds length{};
};

std::optional<Span> scan_date(Scanner& text) {
  const auto year = text.number(4, 9999);
  if (!year || !text.take('-')) return std::nullopt;
  const auto month = text.number(2, 12);
  if (!month || !text.take('-')) return std::nullopt;
  const auto day = text.number(2, 31);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  return Span{std::chrono::sys_days{date}, days{1}};
}

// The clock's time behind a date: what is left out belongs to the span.
bool scan_clock(Scanner& text, Span& span) {
  const auto hour = text.number(2, 23);
  if (!hour) return false;
  const bool dashes = text.take('-');
  if (!dashes && !text.take(':')) return false;
  const auto minute = text.number(2, 59);
  if (!minute) return false;
  span.begin += hours{*hour} + minutes{*minute};
  span.length = minutes{1};
  // "02:30-05" has a zone, "02-30-05" has seconds.
  if (!text.take(dashes ? '-' : ':')) return true;
  const auto second = text.number(2, 59);
  if (!second) return false;
  span.begin += seconds{*second};
  span.length = seconds{1};
  return true;
}

// Seconds that the zone's clock is ahead of UTC.
std::optional<minutes> scan_zone(Scanner& text) {
  if (text.done() || text.take('Z')) return minutes{0};
  const bool ahead = text.take('+');
  if (!ahead && !text.take('-')) return std::nullopt;
  const auto hour = text.number(2, 23);
  if (!hour) return std::nullopt;
  minutes offset = hours{*hour};
  if (!text.done()) {
    text.take(':');
    const auto minute = text.number(2, 59);
    if (!minute) return std::nullopt;
    offset += minutes{*minute};
  }
  return ahead ? offset : -offset;
}

// Days from today; nullopt for no day's name.
std::optional<days> scan_name(Scanner& text) {
  if (text.take("yesterday")) return days{-1};
  if (text.take("today")) return days{0};
  return std::nullopt;
}

// A day's name means the day by the clock of the zone, which comes last.
std::optional<Span> scan_moment(std::string_view from, Time now) {
  Scanner text(from);
  const auto name = scan_name(text);
  auto span = name ? Span{Time{*name}, days{1}} : scan_date(text);
  if (!span) return std::nullopt;
  const bool has_clock = text.take('T') || text.take(' ');
  if (has_clock && !scan_clock(text, *span)) return std::nullopt;
  const auto zone = scan_zone(text);
  if (!zone || !text.done()) return std::nullopt;
  if (name) span->begin += std::chrono::floor<days>(now + *zone).time_since_epoch();
  span->begin -= *zone;
  return span;
}

}  // namespace

Result<Time> parse_when(std::string_view text, Time now) {
  constexpr milliseconds kLast{1};
  if (text == "now") return now;
  constexpr std::string_view kAgo = "-ago";
  if (text.ends_with(kAgo)) {
    const auto span = parse_duration(text.substr(0, text.size() - kAgo.size()));
    if (span && *span <= now.time_since_epoch()) return now - *span;
  }
  if (const auto span = scan_moment(text, now)) return span->begin + span->length - kLast;
  return fail(EINVAL,
              "'{}' is no time; write it as 2026-11-20T02:30, with +01:00 behind it when it isn't UTC, as "
              "2026-11-20, 2h-ago, yesterday, 'yesterday 18:00', today or now",
              text);
}

}  // namespace holdfast
