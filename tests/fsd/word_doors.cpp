#include "tests/fsd/word_doors.h"

#include <algorithm>

#include "catalog/base/text.h"
#include "catalog/base/when.h"
#include "engine/schedule/blackout.h"
#include "engine/schedule/cron.h"

namespace holdfast::doors {
namespace {

std::string complaint_of(const Error& error) {
  return error.message.empty() ? "a refusal without a sentence" : "";
}

}  // namespace

std::string take_cron(std::string_view text, bool faulty) {
  const auto cron = schedule::Cron::parse(text);
  if (!cron) return complaint_of(cron.error());
  for (cctz::civil_minute from : {cctz::civil_minute(2026, 11, 20, 2, 30), cctz::civil_minute(2096, 2, 29)}) {
    const auto first = cron->next(from);
    if (!first) continue;  // no 30 February comes
    if (*first < from) return "a match lies in the past";
    if (cron->next(*first) != first || faulty) return "a match is none";
    if (!cron->may_come(cctz::get_weekday(cctz::civil_day(*first)), first->hour(), first->minute()))
      return "a match can't come";
    const auto second = cron->next(*first + 1);
    if (second && *second <= *first) return "the next match is not later";
  }
  return "";
}

std::string take_blackout(std::string_view text, bool faulty) {
  const auto window = schedule::Blackout::parse(text);
  if (!window) return complaint_of(window.error());
  constexpr int kWeek = 7 * 24 * 60;
  int covered = 0;
  for (cctz::civil_minute at(2026, 11, 16); at < cctz::civil_minute(2026, 11, 16) + kWeek; ++at)
    covered += window->covers(at) ? 1 : 0;
  return covered == 0 || faulty ? "a window covers nothing" : "";
}

std::string take_time(std::string_view text, bool faulty) {
  constexpr Time kNow{std::chrono::milliseconds{1'790'000'000'123}};
  if (const auto when = parse_when(text, kNow); !when) {
    if (auto wrong = complaint_of(when.error()); !wrong.empty()) return wrong;
  } else if (faulty) {
    return "the fault";
  }
  if (const auto time = parse_iso_time(text); time && iso_time(*time) != text)
    return "a time is printed as " + iso_time(*time);
  if (const auto span = parse_duration(text)) {
    const auto again = parse_duration(print_duration(*span));
    if (!again || *again != *span) return "a span is printed as " + print_duration(*span);
  }
  if (const auto size = parse_size(text); size && *size > (std::uint64_t{1} << 63) - 1)
    return "a size is too large";
  if (const auto share = parse_percent(text); share && (*share < 0 || *share > 100)) return "a share is none";
  return "";
}

std::string take_name(std::string_view text, bool faulty) {
  const auto checked = check_name(text);
  if (!checked) return complaint_of(checked.error());
  const bool is_safe = !text.empty() && text.size() <= 128 && text.front() != '.' &&
                       text.find('/') == text.npos && printable(text) == text;
  if (!is_safe || faulty) return "this is no name";
  return nearest(text, {text}) == text ? "" : "a name is not near to itself";
}

}  // namespace holdfast::doors
