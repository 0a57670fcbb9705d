#include "catalog/base/clock.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

using namespace std::chrono_literals;

constexpr Time kTime = std::chrono::sys_days{std::chrono::year{2026} / 11 / 20} + 2h + 3min + 4s + 567ms;

TEST(Times, are_written_in_utc) {
  EXPECT_EQ(iso_time(kTime), "2026-11-20T02:03:04Z");
  EXPECT_EQ(point_name(kTime), "2026-11-20T02-03-04Z");
}

TEST(Times, before_the_epoch_are_rounded_down_too) {
  EXPECT_EQ(iso_time(Time{-1ms}), "1969-12-31T23:59:59Z");
}

TEST(Times, are_read_back) { EXPECT_EQ(parse_iso_time("2026-11-20T02:03:04Z"), kTime - 567ms); }

TEST(Times, that_are_none_are_refused) {
  for (const char* text : {"", "2026-11-20", "2026-11-20T02:03:04", "2026-11-20T02:03:04Zx",
                           "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-1-2T03:04:05Z",
                           "2026-11-20T24:00:00Z", " 2026-11-20T02:03:04Z", "2026-11-20T02:03:60Z"}) {
    const auto time = parse_iso_time(text);
    ASSERT_FALSE(time) << text;
    EXPECT_EQ(time.error().code, EINVAL);
  }
}

TEST(SystemClock, does_not_stand_still) {
  const Time before = system_clock().now();
  while (system_clock().now() == before) continue;
  EXPECT_GT(system_clock().now(), before);
}

}  // namespace
}  // namespace holdfast
