#include "catalog/base/text.h"

#include <utf8.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <numeric>

namespace holdfast {
namespace {

struct Unit {
  char letter;
  std::uint64_t factor;
};

// Parses a whole number with at most one of the units' letters behind it; false when the text is none, or too
// large.
template <std::size_t N>
bool parse_with_unit(std::string_view text, const Unit (&units)[N], bool bare_allowed, std::uint64_t& value) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{}) return false;
  const std::string_view rest{end, static_cast<std::size_t>(text.data() + text.size() - end)};
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (rest.empty()) return bare_allowed && value <= kMost;
  if (rest.size() != 1) return false;
  for (const Unit& unit : units) {
    if (unit.letter != rest[0]) continue;
    if (value > kMost / unit.factor) return false;
    value *= unit.factor;
    return true;
  }
  return false;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  static constexpr Unit kUnits[] = {
      {'K', 1ULL << 10}, {'M', 1ULL << 20}, {'G', 1ULL << 30}, {'T', 1ULL << 40}};
  std::uint64_t value = 0;
  if (!parse_with_unit(text, kUnits, true, value))
    return fail(EINVAL, "'{}' is no size; write it in bytes or as 512K, 64M, 2G, 1T", text);
  return value;
}

Result<int> parse_percent(std::string_view text) {
  static constexpr Unit kUnits[] = {{'%', 1}};
  std::uint64_t value = 0;
  if (text.size() > 4 || !parse_with_unit(text, kUnits, false, value) || value > 100)
    return fail(EINVAL, "'{}' is no share; write it as 0% to 100%", text);
  return static_cast<int>(value);
}

Result<std::chrono::seconds> parse_duration(std::string_view text) {
  static constexpr Unit kUnits[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
  std::uint64_t value = 0;
  if (!parse_with_unit(text, kUnits, false, value))
    return fail(EINVAL, "'{}' is no span of time; write it as 90s, 15m, 4h or 30d", text);
  if (value > static_cast<std::uint64_t>(kLongestDuration.count()))
    return fail(EINVAL, "'{}' is too long a span of time; the longest is {}", text,
                print_duration(kLongestDuration));
  return std::chrono::seconds{value};
}

std::string print_duration(std::chrono::seconds span) {
  struct Unit {
    std::int64_t seconds;
    char letter;
  };
  constexpr std::int64_t kDay = 86400;
  for (const auto [seconds, letter] : {Unit{kDay, 'd'}, Unit{3600, 'h'}, Unit{60, 'm'}})
    if (span.count() != 0 && span.count() % seconds == 0 && (seconds != kDay || span.count() > kDay))
      return fmt::format("{}{}", span.count() / seconds, letter);
  return fmt::format("{}s", span.count());
}

std::string printable(std::string_view text) {
  std::string shown(text);
  std::ranges::replace_if(
      shown, [](char c) { return c < ' ' || c > '~'; }, '?');
  return shown;
}

bool is_utf8(std::string_view text) { return utf8::is_valid(text.begin(), text.end()); }

Result<> check_name(std::string_view name) {
  if (name.empty() || name.size() > 128)
    return fail(EINVAL, "a name has 1 to 128 bytes, this one has {}", name.size());
  if (name == "error") return fail(EINVAL, "'error' is the name of a fixed file; choose another");
  if (name[0] == '.') return fail(EINVAL, "'{}' starts with a dot; names don't", name);
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  if (!std::ranges::all_of(name, allowed))
    return fail(EINVAL, "'{}' is no name; use letters, digits, '.', '_' and '-'", name);
  return {};
}

std::string nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  std::string_view best;
  std::size_t least = word.size() / 3 + 2;  // further away is a different word, not a slip
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return std::string{best};
}

}  // namespace holdfast
