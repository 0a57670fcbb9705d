// Law 21: deletions that depend on time alone wait while the clock is not plausible. The clock and the time
// since the host's start are the test's.
#include "engine/common/clock_watch.h"

#include <gtest/gtest.h>

#include "tests/lib/new_catalog.h"
#include "tests/lib/set_clock.h"
#include "tests/lib/temporary_directory.h"

namespace holdfast {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using std::chrono::years;

constexpr Time kNow{std::chrono::seconds{1'800'000'000}};

class ClockWatchTest : public testing::Test {
 protected:
  void pass(std::chrono::milliseconds time) {
    clock.advance(time);
    uptime.at += time;
  }
  std::unique_ptr<ClockWatch> next_life() {
    auto life = std::make_unique<ClockWatch>(clock, [this] { return uptime; });
    EXPECT_TRUE(life->recall(*catalog));
    return life;
  }

  test::TemporaryDirectory state;
  const std::unique_ptr<Catalog> catalog = test::open_new_catalog(state / "catalog.sqlite");
  test::SetClock clock{kNow};
  Uptime uptime{"first", 1h};
  std::unique_ptr<ClockWatch> watch = next_life();
};

TEST_F(ClockWatchTest, a_clock_that_runs_is_plausible_however_long) {
  for (int day = 0; day < 400; ++day) {
    pass(days{1} - 1min);
    clock.advance(1min);  // drift
    EXPECT_FALSE(watch->doubt()) << *watch->doubt();
  }
  EXPECT_EQ(watch->proven(), clock.now());
}

TEST_F(ClockWatchTest, a_jump_is_a_doubt_until_the_clock_is_right_again) {
  clock.advance(years{10});
  ASSERT_TRUE(watch->doubt());
  EXPECT_EQ(watch->proven(), kNow);
  pass(days{2});
  EXPECT_TRUE(watch->doubt());
  EXPECT_EQ(watch->proven(), kNow + days{2});
  clock.advance(-years{10});
  EXPECT_FALSE(watch->doubt());
}

TEST_F(ClockWatchTest, a_jump_back_is_a_doubt_as_well) {
  clock.advance(-days{3});
  ASSERT_TRUE(watch->doubt());
  EXPECT_EQ(watch->proven(), kNow);
}

TEST_F(ClockWatchTest, a_jump_is_believed_once_as_much_time_has_passed) {
  clock.advance(3h);
  EXPECT_TRUE(watch->doubt());
  pass(3h - 1s);
  EXPECT_TRUE(watch->doubt());
  pass(1s);
  EXPECT_FALSE(watch->doubt());
  pass(days{1});
  EXPECT_FALSE(watch->doubt());
}

TEST_F(ClockWatchTest, a_person_may_say_that_the_clock_is_right) {
  clock.advance(days{100});
  ASSERT_TRUE(watch->doubt());
  watch->accept();
  EXPECT_FALSE(watch->doubt());
  EXPECT_EQ(watch->proven(), kNow + days{100});
}

TEST_F(ClockWatchTest, the_next_life_of_the_daemon_on_the_same_host_sees_a_jump) {
  ASSERT_TRUE(watch->remember(*catalog));
  pass(days{200});
  EXPECT_FALSE(next_life()->doubt()) << "the host ran all the time, so the time is known";
  clock.advance(1h);
  EXPECT_TRUE(next_life()->doubt());
}

TEST_F(ClockWatchTest, after_another_start_of_the_host_the_clock_must_be_later_and_not_by_months) {
  ASSERT_TRUE(watch->remember(*catalog));
  uptime = {"second", 0s};
  clock.advance(days{20});
  EXPECT_FALSE(next_life()->doubt());
  clock.set(kNow - 1h);
  EXPECT_TRUE(next_life()->doubt());
  clock.set(kNow + years{10});
  const auto life = next_life();
  EXPECT_TRUE(life->doubt());
  clock.set(kNow + days{1});
  EXPECT_FALSE(life->doubt());
}

TEST_F(ClockWatchTest, a_clock_in_doubt_is_not_remembered) {
  ASSERT_TRUE(watch->remember(*catalog));
  clock.advance(years{10});
  ASSERT_TRUE(watch->remember(*catalog));
  EXPECT_TRUE(next_life()->doubt());
}

}  // namespace
}  // namespace holdfast
