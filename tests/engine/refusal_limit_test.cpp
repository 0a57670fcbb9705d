#include "engine/objects/refusal_limit.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

using Answer = RefusalLimit::Answer;
using std::chrono::minutes;

constexpr Time kBeginning{std::chrono::seconds{1763640000}};

class Limit : public testing::Test {
 protected:
  // The answers to so many refusals of a user, as "r" for record, "t" for tell, "-" for leave out.
  std::string answers(int count, Time now, std::uint32_t uid = 1000) {
    std::string all;
    for (int i = 0; i < count; ++i) {
      const Answer answer = limit.judge(uid, now);
      all += answer == Answer::record ? 'r' : answer == Answer::tell ? 't' : '-';
    }
    return all;
  }

  const std::string whole = std::string(RefusalLimit::kBurst, 'r');
  RefusalLimit limit;
};

TEST_F(Limit, records_a_burst_tells_of_the_limit_once_and_leaves_out_the_rest) {
  EXPECT_EQ(answers(RefusalLimit::kBurst + 3, kBeginning), whole + "t--");
}

TEST_F(Limit, of_one_user_is_not_that_of_another) {
  answers(RefusalLimit::kBurst + 3, kBeginning);
  EXPECT_EQ(answers(1, kBeginning, 1001), "r");
  EXPECT_EQ(answers(1, kBeginning), "-");
}

TEST_F(Limit, gives_one_more_each_minute_and_at_most_a_burst) {
  answers(RefusalLimit::kBurst + 1, kBeginning);
  EXPECT_EQ(answers(2, kBeginning + minutes{1} - Time::duration{1}), "--");
  EXPECT_EQ(answers(2, kBeginning + minutes{1}), "r-");
  EXPECT_EQ(answers(4, kBeginning + minutes{4}), "rrr-");
  EXPECT_EQ(answers(RefusalLimit::kBurst + 2, kBeginning + std::chrono::days{9}), whole + "t-")
      << "it tells again";
}

TEST_F(Limit, is_neither_raised_nor_lowered_by_a_clock_that_is_set_back) {
  answers(RefusalLimit::kBurst + 1, kBeginning);
  EXPECT_EQ(answers(2, kBeginning - std::chrono::days{9}), "--");
  EXPECT_EQ(answers(2, kBeginning - std::chrono::days{9} + minutes{1}), "r-");
}

}  // namespace
}  // namespace holdfast
