#include "engine/schedule/cron.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <string>
#include <vector>

namespace holdfast::schedule {
namespace {

// A 29 February on a given weekday comes once in 28 years, or 40 around a year like 2100.
constexpr int kYearsToLook = 41;

constexpr auto kMonths = std::to_array<std::string_view>(
    {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"});
constexpr auto kWeekdays = std::to_array<std::string_view>({"sun", "mon", "tue", "wed", "thu", "fri", "sat"});

struct FieldKind {
  std::string_view name;
  int least, most;
  std::span<const std::string_view> words;
  int first_word;  // number of the first word
};

constexpr FieldKind kFields[] = {
    {"minute", 0, 59, {}, 0},
    {"hour", 0, 23, {}, 0},
    {"day of month", 1, 31, {}, 0},
    {"month", 1, 12, kMonths, 1},
    {"day of week", 0, 7, kWeekdays, 0},
};

std::string what_it_takes(const FieldKind& kind) {
  std::string text = fmt::format("*, or numbers from {} to {}", kind.least, kind.most);
  if (!kind.words.empty())
    text += fmt::format(" or names from {} to {}", kind.words.front(), kind.words.back());
  return text + ", with ranges (1-5), steps (*/2) and lists (1,3)";
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = std::min(text.find_first_of(separators), text.size());
    parts.push_back(text.substr(0, end));
    if (end == text.size()) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_all = error == std::errc{} && end == text.data() + text.size();
  return is_all && text.front() != '-' ? std::optional(value) : std::nullopt;
}

struct Field {
  std::bitset<60> values;
  bool begins_with_star = false;
  bool has_star_or_step = false;
};

// Parses one field, or says why it is wrong.
class FieldParser {
 public:
  FieldParser(const FieldKind& kind, std::string_view text) : kind_(kind), text_(text) {}

  Result<Field> parse() {
    Field field;
    field.begins_with_star = text_.starts_with('*');
    for (const std::string_view part : split(text_, ",")) HF_CHECK(add(part, field));
    return field;
  }

 private:
  Result<> add(std::string_view part, Field& field) {
    const auto slash = part.find('/');
    const std::string_view range = part.substr(0, slash);
    int step = 1;
    if (slash != std::string_view::npos) {
      const auto given = number(part.substr(slash + 1));
      if (!given || *given < 1 || *given > kind_.most)
        return wrong(part, fmt::format("a step is a number from 1 to {}", kind_.most));
      step = *given;
      field.has_star_or_step = true;
    }
    int first = kind_.least, last = kind_.most;
    if (range == "*") {
      field.has_star_or_step = true;
    } else {
      const auto dash = range.find('-');
      const auto from = value(range.substr(0, dash));
      if (!from) return wrong(part, what_it_takes(kind_));
      first = last = *from;
      if (dash != std::string_view::npos) {
        const auto to = value(range.substr(dash + 1));
        if (!to) return wrong(part, what_it_takes(kind_));
        last = *to == 0 && kind_.most == 7 ? 7 : *to;  // for fri-sun
      } else if (slash != std::string_view::npos) {
        return wrong(part, fmt::format("a step needs a range: {}-{}/{}", first, kind_.most, step));
      }
      if (last < first) return wrong(part, "a range goes up; write two, with a comma, where it goes round");
    }
    for (int i = first; i <= last; i += step) field.values.set(static_cast<std::size_t>(i));
    return {};
  }

  std::optional<int> value(std::string_view text) const {
    if (const auto given = number(text))
      return *given >= kind_.least && *given <= kind_.most ? given : std::nullopt;
    std::string word{text};
    std::ranges::transform(word, word.begin(), [](unsigned char c) { return std::tolower(c); });
    const auto found = std::ranges::find(kind_.words, word);
    if (found == kind_.words.end()) return std::nullopt;
    return kind_.first_word + static_cast<int>(found - kind_.words.begin());
  }

  tl::unexpected<Error> wrong(std::string_view part, std::string_view right) const {
    return fail(EINVAL, "its {} has '{}'; {}", kind_.name, part, right);
  }

  const FieldKind& kind_;
  const std::string_view text_;
};

struct Nickname {
  std::string_view name, fields;
};
constexpr Nickname kNicknames[] = {
    {"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"},
};

Result<std::string_view> without_nickname(std::string_view text) {
  if (!text.starts_with('@')) return text;
  std::vector<std::string_view> known;
  for (const Nickname& nickname : kNicknames) {
    if (text == nickname.name) return nickname.fields;
    known.push_back(nickname.name);
  }
  return fail(EINVAL, "'{}' is not one of {}", text, fmt::join(known, ", "));
}

template <std::size_t N>
std::bitset<N> cut(const std::bitset<60>& values) {
  std::bitset<N> kept;
  for (std::size_t i = 0; i < N; ++i) kept[i] = values[i];
  return kept;
}

}  // namespace

Result<Cron> Cron::parse(std::string_view text) {
  HF_TRY(const std::string_view plain, without_nickname(text));
  std::vector<std::string_view> words = split(plain, " \t");
  std::erase(words, "");
  if (words.size() != std::size(kFields))
    return fail(EINVAL, "it has {} fields; cron has five: minute, hour, day of month, month, day of week",
                words.size());
  std::vector<Field> fields;
  for (std::size_t i = 0; i < words.size(); ++i) {
    HF_TRY(fields.emplace_back(), FieldParser(kFields[i], words[i]).parse());
  }
  Cron cron;
  cron.minutes_ = fields[0].values;
  cron.hours_ = cut<24>(fields[1].values);
  cron.days_ = cut<32>(fields[2].values);
  cron.months_ = cut<13>(fields[3].values);
  cron.weekdays_ = cut<7>(fields[4].values);
  if (fields[4].values[7]) cron.weekdays_.set(0);
  cron.either_day_ = !fields[2].begins_with_star && !fields[4].begins_with_star;
  cron.runs_by_the_clock_ = fields[1].has_star_or_step;
  return cron;
}

bool Cron::has(cctz::civil_day day) const {
  const bool of_month = days_[static_cast<std::size_t>(day.day())];
  const auto weekday = (static_cast<std::size_t>(cctz::get_weekday(day)) + 1) % 7;  // cctz starts at Monday
  const bool of_week = weekdays_[weekday];
  return either_day_ ? of_month || of_week : of_month && of_week;
}

// Over the years, each day of each month falls on each weekday.
bool Cron::may_come(cctz::weekday day, int hour, int minute) const {
  const auto sunday_first = (static_cast<std::size_t>(day) + 1) % 7;
  return (either_day_ || weekdays_[sunday_first]) && hours_[static_cast<std::size_t>(hour)] &&
         minutes_[static_cast<std::size_t>(minute)];
}

std::optional<cctz::civil_minute> Cron::next(cctz::civil_minute from) const {
  const cctz::civil_year end = cctz::civil_year(from) + kYearsToLook;
  for (cctz::civil_minute at = from; at < cctz::civil_minute(end);) {
    if (!months_[static_cast<std::size_t>(at.month())])
      at = cctz::civil_minute(cctz::civil_month(at) + 1);
    else if (!has(cctz::civil_day(at)))
      at = cctz::civil_minute(cctz::civil_day(at) + 1);
    else if (!hours_[static_cast<std::size_t>(at.hour())])
      at = cctz::civil_minute(cctz::civil_hour(at) + 1);
    else if (!minutes_[static_cast<std::size_t>(at.minute())])
      ++at;
    else
      return at;
  }
  return std::nullopt;
}

}  // namespace holdfast::schedule
