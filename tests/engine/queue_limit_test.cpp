// Tests of how many jobs one user may have taken on.
#include "engine/runs/queue_limit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::runs {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kAnn = 1001, kBob = 1002;

Asked of_machine(std::uint32_t uid, Id machine) { return {uid, machine}; }

TEST(QueueLimit, an_object_has_at_most_so_many_jobs_whoever_asked_for_them) {
  QueueLimit limit;
  for (std::size_t i = 0; i < QueueLimit::kMostAtObject; ++i) {
    ASSERT_TRUE(limit.check(of_machine(kAnn, 7)));
    limit.add(of_machine(kAnn, 7));
  }
  const auto refused = limit.check(of_machine(kBob, 7));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EDQUOT);
  EXPECT_THAT(refused.error().message, HasSubstr("32 jobs that were asked for here"));
  EXPECT_TRUE(limit.check(of_machine(kBob, 8))) << "another machine";
  EXPECT_TRUE(limit.check({.uid = kBob})) << "the run of a flow";
  limit.remove(of_machine(kAnn, 7));
  EXPECT_TRUE(limit.check(of_machine(kBob, 7)));
}

TEST(QueueLimit, a_user_has_at_most_so_many_jobs_at_all_objects_together) {
  QueueLimit limit;
  for (std::size_t i = 0; i < QueueLimit::kMostOfUser; ++i) {
    ASSERT_TRUE(limit.check(of_machine(kAnn, static_cast<Id>(i + 1))));
    limit.add(of_machine(kAnn, static_cast<Id>(i + 1)));
  }
  EXPECT_EQ(limit.check({.uid = kAnn}).error().code, EDQUOT);
  EXPECT_THAT(limit.check(of_machine(kAnn, -1)).error().message, HasSubstr("1000 jobs that you asked for"));
  EXPECT_TRUE(limit.check(of_machine(kBob, 1))) << "another user";
  limit.remove(of_machine(kAnn, 3));
  EXPECT_TRUE(limit.check(of_machine(kAnn, -1)));
}

TEST(QueueLimit, root_is_not_counted) {
  QueueLimit limit;
  for (std::size_t i = 0; i < 2 * QueueLimit::kMostOfUser; ++i) limit.add(of_machine(0, 7));
  EXPECT_TRUE(limit.check(of_machine(0, 7)));
  EXPECT_TRUE(limit.check(of_machine(kAnn, 7)));
}

}  // namespace
}  // namespace holdfast::runs
