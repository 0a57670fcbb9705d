// A read is known for an hour. A machine is either studied or pruned, never both.
#include "engine/repository/readers.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/lib/set_clock.h"

namespace holdfast::repository {
namespace {

using namespace std::chrono_literals;
using Use = Readers::Use;

TEST(Readers, a_point_is_known_as_read_while_open_and_for_an_hour_after) {
  test::SetClock clock{Time{1'800'000'000s}};
  Readers readers;
  EXPECT_EQ(readers.use(1, clock.now()), Use::none);
  {
    const Readers::Open one(readers, 1, clock);
    clock.advance(5h);
    const Readers::Open another(readers, 1, clock);
    EXPECT_EQ(readers.use(1, clock.now()), Use::open);
    EXPECT_EQ(readers.use(2, clock.now()), Use::none);
  }
  EXPECT_EQ(readers.use(1, clock.now()), Use::read);
  clock.advance(1h - 1ms);
  EXPECT_EQ(readers.use(1, clock.now()), Use::read);
  clock.advance(1ms);
  EXPECT_EQ(readers.use(1, clock.now()), Use::none);
}

TEST(Readers, a_machine_being_studied_is_not_cleared) {
  Readers readers;
  const auto never = [] { return false; };
  auto one = readers.study(1, never);
  auto another = readers.study(1, never);
  EXPECT_FALSE(readers.clear(1));
  EXPECT_TRUE(readers.clear(2));
  one = {};
  EXPECT_FALSE(readers.clear(1));
  another = {};
  EXPECT_TRUE(readers.clear(1));
}

TEST(Readers, a_study_waits_for_the_end_of_a_pruning_and_may_give_up) {
  Readers readers;
  auto cleared = readers.clear(1);
  EXPECT_FALSE(readers.study(1, [] { return true; }));
  std::thread student([&] { EXPECT_TRUE(readers.study(1, [] { return false; })); });
  cleared = {};
  student.join();
}

}  // namespace
}  // namespace holdfast::repository
