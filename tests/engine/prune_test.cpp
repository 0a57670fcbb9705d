// What keeps a pruning from beginning.
#include "engine/retention/prune.h"

#include <gtest/gtest.h>

#include "catalog/stores/machines.h"
#include "engine/runs/begin.h"
#include "tests/engine/engine_room.h"

namespace holdfast::retention {
namespace {

using namespace std::chrono_literals;

class PruneTest : public testing::Test, protected test::EngineRoom {
 protected:
  PruneTest()
      : machine_(catalog_->write([](db::Connection& db) { return Machines(db).add("m", {}, Time{1s}); })
                     .value()
                     .id) {}

  const Id machine_;
  const source::Cancel never_;
};

// A worker that is told so tries again by and by: runs/runner.
TEST_F(PruneTest, it_is_busy_while_points_are_verified_and_means_to_be_tried_again) {
  auto studies = readers_.study(machine_, [] { return false; });
  const auto refused = prune(services_, machine_, Judging::by_policy, never_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EBUSY);
  EXPECT_EQ(refused.error().message, "the points of machine 'm' are being verified");
  const auto work = runs::begin_pruning(services_, machine_, {}, std::nullopt);
  ASSERT_TRUE(work) << work.error().message;
  EXPECT_GE(work->retries, 100);
  studies.reset();
  EXPECT_TRUE(prune(services_, machine_, Judging::by_policy, never_));
}

}  // namespace
}  // namespace holdfast::retention
