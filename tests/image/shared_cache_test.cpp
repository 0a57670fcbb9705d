// Tests of the shared cache: the values that it evicts, and the thread that makes an absent one.
#include "engine/image/shared_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/image/fixture.h"

namespace holdfast::image::test {
namespace {

using Cache = SharedCache<int, Bytes, std::hash<int>>;
using Made = Result<std::shared_ptr<const Bytes>>;

Made bytes(std::size_t size) { return std::make_shared<const Bytes>(size); }

TEST(Cache, the_least_recently_used_value_is_evicted) {
  Cache cache(300);
  for (const int key : {1, 2, 3}) must(cache.get(key, [] { return bytes(100); }));
  EXPECT_TRUE(cache.find(1));
  must(cache.get(4, [] { return bytes(100); }));
  EXPECT_FALSE(cache.find(2));
  for (const int key : {1, 3, 4}) EXPECT_TRUE(cache.find(key)) << key;
  EXPECT_EQ(cache.memory(), 300u);
}

TEST(Cache, a_value_larger_than_the_bound_is_kept_alone) {
  Cache cache(300);
  for (int key = 0; key < 100; ++key) {
    must(cache.get(key, [] { return bytes(70); }));
    EXPECT_LE(cache.memory(), 300u);
  }
  must(cache.get(100, [] { return bytes(1000); }));
  EXPECT_EQ(cache.memory(), 1000u);
}

TEST(Cache, a_value_is_made_once_for_all_waiting_threads) {
  Cache cache(1000);
  std::atomic<int> made = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int key = 0; key < 100; ++key)
        EXPECT_TRUE(cache.get(key, [&] {
          ++made;
          return bytes(1);
        }));
    });
  threads.clear();
  EXPECT_EQ(made, 100);
}

TEST(Cache, an_error_is_not_cached) {
  Cache cache(1000);
  EXPECT_EQ(error_of(cache.get(1, []() -> Made { return fail(EIO, "not now"); })).message, "not now");
  EXPECT_FALSE(cache.find(1));
  EXPECT_TRUE(cache.get(1, [] { return bytes(1); }));
}

}  // namespace
}  // namespace holdfast::image::test
