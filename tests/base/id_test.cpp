#include "catalog/base/id.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

namespace holdfast {
namespace {

TEST(Ids, grow_and_fit_into_a_double) {
  Id last = 0;
  for (int i = 0; i < 10'000; ++i) {
    const Id id = new_id();
    ASSERT_GT(id, last);
    last = id;
  }
  EXPECT_LT(last, Id{1} << 53);
}

TEST(Ids, of_many_threads_are_all_different) {
  std::vector<std::vector<Id>> made(8);
  std::vector<std::thread> threads;
  for (auto& mine : made)
    threads.emplace_back([&mine] {
      for (int i = 0; i < 10'000; ++i) mine.push_back(new_id());
    });
  for (std::thread& thread : threads) thread.join();
  std::set<Id> all;
  for (const auto& mine : made) {
    EXPECT_TRUE(std::ranges::is_sorted(mine));
    all.insert(mine.begin(), mine.end());
  }
  EXPECT_EQ(all.size(), 80'000u);
}

TEST(Ids, start_above_what_an_earlier_life_has_used) {
  const Id floor = new_id() + 1'000'000;
  new_ids_start_above(floor);
  EXPECT_GT(new_id(), floor);
  new_ids_start_above(1);
  EXPECT_GT(new_id(), floor) << "a lower floor changes nothing";
}

TEST(RandomHex, has_two_digits_a_byte_and_does_not_repeat) {
  EXPECT_EQ(random_hex(4).size(), 8u);
  EXPECT_EQ(random_hex(16).find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(random_hex(16), random_hex(16));
}

}  // namespace
}  // namespace holdfast
