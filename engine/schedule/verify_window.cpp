#include "engine/schedule/verify_window.h"

#include <cctz/time_zone.h>

#include <algorithm>

namespace holdfast::schedule {
namespace {

bool covers(const std::vector<Blackout>& windows, cctz::civil_minute at) {
  return windows.empty() || std::ranges::any_of(windows, [&](const Blackout& one) { return one.covers(at); });
}

}  // namespace

Result<VerifyWindow> VerifyWindow::of(const std::vector<std::string>& windows) {
  VerifyWindow window;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const auto one = Blackout::parse(windows[i]);
    if (!one)
      return fail(EINVAL, "field \"verify_window[{}]\" is \"{}\": {}", i, windows[i], one.error().message);
    window.windows_.push_back(*one);
  }
  return window;
}

bool VerifyWindow::is_open(Time at) const {
  return covers(windows_, cctz::civil_minute(cctz::convert(std::chrono::floor<std::chrono::seconds>(at),
                                                           cctz::utc_time_zone())));
}

std::chrono::minutes VerifyWindow::longest_pause() const {
  constexpr int kWeek = 7 * 24 * 60;
  constexpr cctz::civil_minute kMonday(2024, 1, 1);
  int longest = 0, pause = 0;
  for (int minute = 0; minute < 2 * kWeek; ++minute) {  // twice, because a pause may go on over Sunday
    pause = covers(windows_, kMonday + minute) ? 0 : pause + 1;
    longest = std::max(longest, pause);
  }
  return std::chrono::minutes{longest};
}

}  // namespace holdfast::schedule
