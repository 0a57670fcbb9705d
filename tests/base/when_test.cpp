#include "catalog/base/when.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast {
namespace {

using testing::HasSubstr;

const Time kNow = *parse_iso_time("2026-11-20T14:05:30Z") + std::chrono::milliseconds{250};

// Parses the text: a moment, to its last millisecond.
void expect(std::string_view text, std::string_view last_second) {
  const auto when = parse_when(text, kNow);
  ASSERT_TRUE(when) << when.error().message;
  EXPECT_EQ(*when, *parse_iso_time(last_second) + std::chrono::milliseconds{999}) << text;
}

TEST(When, a_moment_is_all_that_its_text_leaves_out) {
  expect("2026-11-20T02:30:15", "2026-11-20T02:30:15Z");
  expect("2026-11-20T02:30", "2026-11-20T02:30:59Z");
  expect("2026-11-20", "2026-11-20T23:59:59Z");
}

TEST(When, is_utc_unless_it_says_so) {
  expect("2026-11-20T02:30Z", "2026-11-20T02:30:59Z");
  expect("2026-11-20T02:30+01:00", "2026-11-20T01:30:59Z");
  expect("2026-11-20T02:30:15-0330", "2026-11-20T06:00:15Z");
  expect("2026-11-20T02:30-05", "2026-11-20T07:30:59Z");
  expect("2026-11-20+02", "2026-11-20T21:59:59Z");
}

TEST(When, is_a_points_own_name_too) { expect("2026-11-20T02-30-15Z", "2026-11-20T02:30:15Z"); }

TEST(When, knows_days_by_their_names) {
  expect("today", "2026-11-20T23:59:59Z");
  expect("yesterday", "2026-11-19T23:59:59Z");
}

TEST(When, knows_a_clock_on_a_named_day) {
  expect("yesterday 18:00", "2026-11-19T18:00:59Z");
  expect("today 02:30:15", "2026-11-20T02:30:15Z");
  expect("yesterdayT18:00", "2026-11-19T18:00:59Z");
  // Now, at 14:05 in UTC, it is the 21st in a zone twelve hours ahead.
  expect("yesterday 18:00+12:00", "2026-11-20T06:00:59Z");
}

TEST(When, is_what_date_prints) {
  expect("2026-11-20 02:30", "2026-11-20T02:30:59Z");
  expect("2026-11-20 02:30:00+01:00", "2026-11-20T01:30:00Z");
  expect("2026-11-20T02:30:00+00:00", "2026-11-20T02:30:00Z");
  expect("2026-11-20T02:30:00+0000", "2026-11-20T02:30:00Z");
}

TEST(When, counts_back_from_now) {
  EXPECT_EQ(parse_when("now", kNow), kNow);
  EXPECT_EQ(parse_when("90s-ago", kNow), kNow - std::chrono::seconds{90});
  EXPECT_EQ(parse_when("2h-ago", kNow), kNow - std::chrono::hours{2});
  EXPECT_EQ(parse_when("30d-ago", kNow), kNow - std::chrono::days{30});
}

TEST(When, refuses_what_is_no_time_and_says_what_would_be) {
  for (const char* text : {"",
                           "tomorrow",
                           "2h",
                           "-ago",
                           "2026-02-29",
                           "2026-13-01",
                           "2026-11-20T24:00",
                           "2026-11-20T02:60",
                           "2026-11-20T02:30:60",
                           "2026-11-20T2:30",
                           "2026-11-20 ",
                           "2026-11-20T02:30+1",
                           "2026-11-20T02:30Zulu",
                           "2026-11-20T",
                           "99999999d-ago",
                           "20261120",
                           "yesterday 18",
                           "yesterday18:00",
                           "today ",
                           "yesterdays",
                           "2026-11-20  02:30"}) {
    const auto when = parse_when(text, kNow);
    ASSERT_FALSE(when) << text;
    EXPECT_EQ(when.error().code, EINVAL);
    EXPECT_THAT(when.error().message, HasSubstr("write it as 2026-11-20T02:30"));
  }
}

}  // namespace
}  // namespace holdfast
