// Tests that a server's extents are validated and never guessed at (law 7).
#include "engine/sources/nbd/extents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace holdfast::source::nbd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> words(const std::vector<Extent>& extents) {
  std::vector<std::string> list;
  for (const Extent& extent : extents)
    list.push_back(fmt::format("{}+{}{}{}", extent.offset, extent.length, extent.zero ? " zero" : "",
                               extent.changed ? " changed" : ""));
  return list;
}

TEST(Extents, extents_of_two_contexts_end_where_either_ends) {
  const Status allocation{100, 0, 200, 3, 100, 0};
  const Status changes{150, 0, 250, 1};
  EXPECT_THAT(words(combine(1000, 400, &allocation, &changes).value()),
              ElementsAre("1000+100", "1100+50 zero", "1150+150 zero changed", "1300+100 changed"));
}

TEST(Extents, extents_reach_as_far_as_the_shorter_answer) {
  const Status allocation{100, 0};
  const Status changes{50, 1, 10, 0};
  EXPECT_THAT(words(combine(0, 400, &allocation, &changes).value()), ElementsAre("0+50 changed", "50+10"));
}

TEST(Extents, extents_past_the_request_are_cut_off) {
  const Status allocation{4096, 2};
  EXPECT_THAT(words(combine(512, 1000, &allocation, nullptr).value()), ElementsAre("512+1000 zero changed"));
}

TEST(Extents, extents_of_one_kind_are_joined) {
  const Status allocation{10, 0, 10, 1, 10, 0};  // a hole that does not read as zeros counts as data
  EXPECT_THAT(words(combine(0, 30, &allocation, nullptr).value()), ElementsAre("0+30 changed"));
}

TEST(Extents, without_any_context_all_is_one_extent_of_data) {
  EXPECT_THAT(words(combine(5, 30, nullptr, nullptr).value()), ElementsAre("5+30 changed"));
}

TEST(Extents, an_extent_without_bytes_is_refused) {
  const Status allocation{10, 0, 0, 1, 10, 0};
  const auto combined = combine(0, 30, &allocation, nullptr);
  ASSERT_FALSE(combined);
  EXPECT_EQ(combined.error().code, EPROTO);
  EXPECT_THAT(combined.error().message, HasSubstr("without bytes"));
}

TEST(Extents, an_empty_or_odd_answer_is_refused) {
  const Status allocation{10, 0};
  const Status none;
  const Status odd{10, 0, 10};
  EXPECT_FALSE(combine(0, 30, &allocation, &none));
  EXPECT_FALSE(combine(0, 30, &odd, nullptr));
}

std::vector<std::string> grains_of(std::uint64_t end, const std::vector<Extent>& extents) {
  Grains grains(end);
  for (const Extent& extent : extents) grains.add(extent);
  return words(grains.take());
}

TEST(Grains, whole_grains_stay_as_they_are) {
  EXPECT_THAT(
      grains_of(40'000, {{0, 8192, true, false}, {8192, 4096, false, true}, {12'288, 27'712, true, true}}),
      ElementsAre("0+8192 zero", "8192+4096 changed", "12288+27712 zero changed"));
}

TEST(Grains, a_grain_of_several_kinds_is_changed_and_data_if_any_part_is) {
  EXPECT_THAT(grains_of(16'384, {{0, 5000, true, false}, {5000, 1, true, true}, {5001, 11'383, true, false}}),
              ElementsAre("0+4096 zero", "4096+4096 zero changed", "8192+8192 zero"));
  EXPECT_THAT(grains_of(8192, {{0, 1, false, false}, {1, 8191, true, true}}),
              ElementsAre("0+4096 changed", "4096+4096 zero changed"));
}

TEST(Grains, the_last_grain_ends_with_the_range) {
  EXPECT_THAT(grains_of(10'000, {{1000, 4000, true, false}, {5000, 5000, false, false}}),
              ElementsAre("1000+3096 zero", "4096+5904"));
  EXPECT_THAT(grains_of(5000, {{4096, 900, true, true}, {4996, 4, false, false}}),
              ElementsAre("4096+904 changed"));
}

// Compares with a byte-by-byte account of the same extents.
TEST(Grains, many_small_extents_take_little_room_and_say_the_same) {
  std::mt19937 random(7);
  constexpr std::uint64_t kEnd = 100'000;
  std::vector<Extent> extents;
  std::vector<bool> changed(kEnd), zero(kEnd);
  for (std::uint64_t at = 0; at < kEnd;) {
    const std::uint64_t length = std::min<std::uint64_t>(1 + random() % 3000, kEnd - at);
    extents.push_back({at, length, random() % 2 == 0, random() % 2 == 0});
    for (std::uint64_t i = at; i < at + length; ++i) {
      changed[i] = extents.back().changed;
      zero[i] = extents.back().zero;
    }
    at += length;
  }
  Grains grains(kEnd);
  for (const Extent& extent : extents) grains.add(extent);
  std::uint64_t at = 0;
  for (const Extent& extent : grains.take()) {
    ASSERT_EQ(extent.offset, at);
    for (; at < extent.offset + extent.length; ++at) {
      const std::uint64_t begin = at / 4096 * 4096, end = std::min(begin + 4096, kEnd);
      bool any_changed = false, all_zero = true;
      for (std::uint64_t i = begin; i < end; ++i) {
        any_changed |= changed[i];
        all_zero &= zero[i];
      }
      ASSERT_EQ(extent.changed, any_changed) << at;
      ASSERT_EQ(extent.zero, all_zero) << at;
      at = end - 1;
    }
  }
  EXPECT_EQ(at, kEnd);
}

}  // namespace
}  // namespace holdfast::source::nbd
