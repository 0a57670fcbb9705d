#include "engine/objects/allowances.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

using Answer = Allowances::Answer;
using std::chrono::minutes;

constexpr Time kBeginning{std::chrono::seconds{1763640000}};

class Limit : public testing::Test {
 protected:
  // The answers to so many refusals of a user: "r" is granted, "t" the first refused, "-" refused.
  std::string answers(int count, Time now, std::uint32_t uid = 1000) {
    std::string all;
    for (int i = 0; i < count; ++i) {
      const Answer answer = limit.take(uid, now);
      all += answer == Answer::granted ? 'r' : answer == Answer::first_refused ? 't' : '-';
    }
    return all;
  }

  const std::string whole = std::string(kRecordedRefusals.burst, 'r');
  Allowances limit{kRecordedRefusals};
};

TEST_F(Limit, grants_a_burst_tells_of_the_first_refused_and_refuses_the_rest) {
  EXPECT_EQ(answers(kRecordedRefusals.burst + 3, kBeginning), whole + "t--");
}

TEST_F(Limit, of_one_user_is_not_that_of_another) {
  answers(kRecordedRefusals.burst + 3, kBeginning);
  EXPECT_EQ(answers(1, kBeginning, 1001), "r");
  EXPECT_EQ(answers(1, kBeginning), "-");
}

TEST_F(Limit, gives_one_more_each_minute_and_at_most_a_burst) {
  answers(kRecordedRefusals.burst + 1, kBeginning);
  EXPECT_EQ(answers(2, kBeginning + minutes{1} - Time::duration{1}), "--");
  EXPECT_EQ(answers(2, kBeginning + minutes{1}), "r-");
  EXPECT_EQ(answers(4, kBeginning + minutes{4}), "rrr-");
  EXPECT_EQ(answers(kRecordedRefusals.burst + 2, kBeginning + std::chrono::days{9}), whole + "t-")
      << "it tells again";
}

TEST_F(Limit, is_neither_raised_nor_lowered_by_a_clock_that_is_set_back) {
  answers(kRecordedRefusals.burst + 1, kBeginning);
  EXPECT_EQ(answers(2, kBeginning - std::chrono::days{9}), "--");
  EXPECT_EQ(answers(2, kBeginning - std::chrono::days{9} + minutes{1}), "r-");
}

}  // namespace
}  // namespace holdfast
