// Tests that a server's extents are validated and never guessed at (law 7).
#include "engine/sources/nbd/extents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace holdfast::source::nbd
