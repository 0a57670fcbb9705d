// Tests of the scheduler's thread: it looks when something is due or when told, and ends when told.
#include "engine/schedule/scheduler.h"

#include <thread>

#include "tests/schedule/fixture.h"

namespace holdfast::schedule {
namespace {

class SchedulerTest : public AgendaTest {
 protected:
  SchedulerTest() : AgendaTest({.cron = "0 0 1 1 *"}) { clock.set(system_clock().now()); }

  bool has_started() {
    const auto lines = history();
    return std::ranges::any_of(lines, [](const std::string& line) { return line.ends_with(" started"); });
  }
  void until_started() {
    const auto end = std::chrono::steady_clock::now() + 2min;
    while (!has_started()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "nothing was started";
      std::this_thread::sleep_for(5ms);
    }
  }

  Bell bell;
  Scheduler scheduler{*catalog, system_clock(), bell, starter, observer};
};

TEST_F(SchedulerTest, a_due_start_is_made_without_a_call) {
  define_schedule("s", {.every = 1s});
  scheduler.start();
  until_started();
  scheduler.stop();
  EXPECT_GE(starter.started.size(), 1U);
}

TEST_F(SchedulerTest, a_changed_definition_is_followed_after_look_again) {
  scheduler.start();
  define_schedule("s", {.every = 1s});
  bell.ring();
  until_started();
}

TEST_F(SchedulerTest, any_thread_may_call_look_again_and_stop_at_any_time) {
  scheduler.start();
  std::vector<std::thread> others;
  for (int i = 0; i < 4; ++i)
    others.emplace_back([this] {
      for (int n = 0; n < 100; ++n) bell.ring();
    });
  scheduler.stop();
  scheduler.stop();
  for (std::thread& other : others) other.join();
}

}  // namespace
}  // namespace holdfast::schedule
