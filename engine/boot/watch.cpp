#include "engine/boot/watch.h"

#include <fnmatch.h>

#include <algorithm>

#include "catalog/base/text.h"
#include "engine/boot/signs.h"

namespace holdfast::boot {
namespace {

constexpr std::chrono::milliseconds kListen{100};  // a cancel is seen so soon
constexpr std::chrono::milliseconds kBetweenPictures{1000};
constexpr std::chrono::milliseconds kBetweenPings{2000};
constexpr std::chrono::seconds kSettled{15};  // time after which a screen counts as settled

bool is_due(std::chrono::steady_clock::time_point& next, std::chrono::milliseconds pause) {
  const auto now = std::chrono::steady_clock::now();
  if (now < next) return false;
  next = now + pause;
  return true;
}

}  // namespace

Result<std::string> Watch::outcome() {
  for (;;) {
    if (cancel_.requested()) return fail(ECANCELED, "cancelled");
    HF_CHECK(guest_.listen(kListen));
    progress_.move();
    HF_TRY(const bool up, is_up());
    if (up) return "";
    for (const auto& trouble : {trouble_in(guest_.firmware()), trouble_in(guest_.console()), trouble_})
      if (trouble) return *trouble;
    if (guest_.stopped()) return *guest_.stopped();
    if (deadline_.passed()) return what_is_missing();
  }
}

Result<bool> Watch::is_up() {
  if (expect_.sign == BootSign::serial && has_line()) return true;
  if (expect_.sign == BootSign::agent && is_due(next_ping_, kBetweenPings) && guest_.agent_answers())
    return true;
  if (is_due(next_look_, kBetweenPictures)) HF_CHECK(look_at_screen());
  return expect_.sign == BootSign::screen && !trouble_ && seen_ == Seen::still &&
         Steady::now() - still_since_ >= kSettled;
}

// A picture is compared with the first of its row, so that slow changes add up.
Result<> Watch::look_at_screen() {
  HF_TRY(Picture now, guest_.picture());
  HF_TRY(const std::string text, guest_.text_on(now));
  trouble_ = trouble_in(text);
  const bool is_text = !text.empty();
  if (is_blank(now) || (is_text && is_still_firmware(text))) {
    seen_ = is_blank(now) ? Seen::nothing : Seen::firmware;
    picture_.reset();
    return {};
  }
  if (picture_ && look_alike(*picture_, now)) {
    seen_ = Seen::still;
    return {};
  }
  seen_ = Seen::change;
  picture_ = std::move(now);
  still_since_ = Steady::now();
  return {};
}

bool Watch::has_line() const {
  const std::string pattern = "*" + expect_.text + "*";
  std::string_view rest = guest_.console();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find_first_of("\r\n"), rest.size());
    if (::fnmatch(pattern.c_str(), std::string(rest.substr(0, end)).c_str(), 0) == 0) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

std::string Watch::what_is_missing() const {
  const std::string span = print_duration(timeout_);
  switch (expect_.sign) {
    case BootSign::serial:
      return fmt::format("it hangs: no line with '{}' came on its serial console within {}", expect_.text,
                         span);
    case BootSign::agent: return fmt::format("it hangs: its agent did not answer within {}", span);
    case BootSign::screen: break;
  }
  switch (seen_) {
    case Seen::nothing: return fmt::format("it hangs: its screen was empty after {}", span);
    case Seen::firmware:
      return fmt::format("it hangs: nothing followed the firmware's text on its screen within {}", span);
    default: return fmt::format("its screen did not settle within {}", span);
  }
}

}  // namespace holdfast::boot
