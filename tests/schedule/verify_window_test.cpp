// Tests of the times in which a policy's verification goes on.
#include "engine/schedule/verify_window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::schedule {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

VerifyWindow window(const std::vector<std::string>& texts) {
  const auto made = VerifyWindow::of(texts);
  EXPECT_TRUE(made) << made.error().message;
  return *made;
}

bool is_open(const std::vector<std::string>& texts, std::string_view at) {
  return window(texts).is_open(*parse_iso_time(at));
}

TEST(VerifyWindow, an_empty_list_is_always_open) {
  EXPECT_TRUE(is_open({}, "2026-11-20T12:00:00Z"));
  EXPECT_EQ(window({}).longest_pause(), 0min);
}

TEST(VerifyWindow, any_of_its_times_is_open_by_utc) {
  const std::vector<std::string> texts{"22:00-06:00", "sat"};
  EXPECT_TRUE(is_open(texts, "2026-11-20T22:00:00Z"));  // a Friday
  EXPECT_TRUE(is_open(texts, "2026-11-21T12:00:00Z"));
  EXPECT_FALSE(is_open(texts, "2026-11-20T06:00:00Z"));
}

TEST(VerifyWindow, the_longest_pause_goes_on_over_the_end_of_the_week) {
  EXPECT_EQ(window({"wed"}).longest_pause(), std::chrono::days{6});
  EXPECT_EQ(window({"22:00-06:00"}).longest_pause(), 16h);
  EXPECT_EQ(window({"tue 10:00-11:00", "fri"}).longest_pause(), 82h);
}

TEST(VerifyWindow, a_wrong_time_is_refused_with_its_place_in_the_list) {
  const auto refused = VerifyWindow::of({"sat", "25:00-26:00"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EINVAL);
  EXPECT_THAT(refused.error().message, HasSubstr("\"verify_window[1]\" is \"25:00-26:00\""));
}

}  // namespace
}  // namespace holdfast::schedule
