#include "catalog/base/clock.h"

#include <ctime>

namespace holdfast {
namespace {

class SystemClock final : public Clock {
 public:
  Time now() const override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
};

std::string format_time(Time time, const char* format) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, format, &parts)};
}

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

std::string iso_time(Time time) { return format_time(time, "%Y-%m-%dT%H:%M:%SZ"); }

std::string point_name(Time time) { return format_time(time, "%Y-%m-%dT%H-%M-%SZ"); }

Result<Time> parse_iso_time(std::string_view text) {
  std::tm parts{};
  const std::string copy{text};
  if (strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts) != nullptr) {
    const Time time{std::chrono::seconds{timegm(&parts)}};
    // strptime takes blanks and missing zeros, timegm turns February 30 into March.
    if (iso_time(time) == text) return time;
  }
  return fail(EINVAL, "'{}' is no time; write it as 2026-11-20T02:00:00Z", text);
}

}  // namespace holdfast
