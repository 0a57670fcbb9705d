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

TEST(Extents, OfTwoContextsAreCutWhereEitherIs) {
  const Status allocation{100, 0, 200, 3, 100, 0};
  const Status changes{150, 0, 250, 1};
  EXPECT_THAT(words(combine(1000, 400, &allocation, &changes).value()),
              ElementsAre("1000+100", "1100+50 zero", "1150+150 zero changed", "1300+100 changed"));
}

TEST(Extents, ReachAsFarAsTheShorterAnswer) {
  const Status allocation{100, 0};
  const Status changes{50, 1, 10, 0};
  EXPECT_THAT(words(combine(0, 400, &allocation, &changes).value()), ElementsAre("0+50 changed", "50+10"));
}

TEST(Extents, PastTheQuestionAreCutOff) {
  const Status allocation{4096, 2};
  EXPECT_THAT(words(combine(512, 1000, &allocation, nullptr).value()), ElementsAre("512+1000 zero changed"));
}

TEST(Extents, OfOneKindAreJoined) {
  const Status allocation{10, 0, 10, 1, 10, 0};  // a hole that does not read as zeros counts as data
  EXPECT_THAT(words(combine(0, 30, &allocation, nullptr).value()), ElementsAre("0+30 changed"));
}

TEST(Extents, ThatNobodyWasAskedForAreOneOfData) {
  EXPECT_THAT(words(combine(5, 30, nullptr, nullptr).value()), ElementsAre("5+30 changed"));
}

TEST(Extents, WithoutBytesAreRefused) {
  const Status allocation{10, 0, 0, 1, 10, 0};
  const auto combined = combine(0, 30, &allocation, nullptr);
  ASSERT_FALSE(combined);
  EXPECT_EQ(combined.error().code, EPROTO);
  EXPECT_THAT(combined.error().message, HasSubstr("without bytes"));
}

TEST(Extents, ThatAreNoneOrNoPairsAreRefused) {
  const Status allocation{10, 0};
  const Status none;
  const Status odd{10, 0, 10};
  EXPECT_FALSE(combine(0, 30, &allocation, &none));
  EXPECT_FALSE(combine(0, 30, &odd, nullptr));
}

}  // namespace
}  // namespace holdfast::source::nbd
