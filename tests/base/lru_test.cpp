#include "catalog/base/lru.h"

#include <gtest/gtest.h>

#include <string>

namespace holdfast {
namespace {

TEST(Lru, the_least_recently_used_entry_goes_first) {
  Lru<int, std::string> lru(2);
  lru.put(1, "one");
  lru.put(2, "two");
  ASSERT_NE(lru.find(1), nullptr);
  lru.put(3, "three");
  EXPECT_EQ(lru.find(2), nullptr);
  EXPECT_EQ(*lru.find(1), "one");
  EXPECT_EQ(*lru.find(3), "three");
}

TEST(Lru, a_replaced_entry_costs_once) {
  Lru<int, std::string> lru(10);
  lru.put(1, "one", 6);
  lru.put(1, "uno", 7);
  EXPECT_EQ(lru.cost(), 7u);
  EXPECT_EQ(*lru.find(1), "uno");
}

TEST(Lru, an_entry_above_the_limit_stays_until_the_next_one) {
  Lru<int, std::string> lru(10);
  lru.put(1, "one", 3);
  lru.put(2, "two", 30);
  EXPECT_EQ(lru.find(1), nullptr);
  EXPECT_EQ(*lru.find(2), "two");
  lru.put(3, "three", 3);
  EXPECT_EQ(lru.find(2), nullptr);
  EXPECT_EQ(lru.cost(), 3u);
}

TEST(Lru, an_erased_entry_is_absent_and_costs_nothing) {
  Lru<int, std::string> lru(10);
  lru.put(1, "one", 3);
  lru.erase(1);
  lru.erase(2);
  EXPECT_EQ(lru.find(1), nullptr);
  EXPECT_EQ(lru.cost(), 0u);
}

}  // namespace
}  // namespace holdfast
