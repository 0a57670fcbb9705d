// Tests the figures of a job's progress.
#include "engine/common/progress.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

using std::chrono::seconds;

TEST(Progress, figures_that_stay_the_same_keep_their_revision) {
  ProgressMeter meter;
  const auto begun = ProgressMeter::Steady::now();
  const Progress first = meter.snapshot(begun + seconds{1});
  EXPECT_EQ(meter.snapshot(begun + seconds{10}).revision, first.revision);
  meter.advance(1000);
  const Progress moved = meter.snapshot(begun + seconds{20});
  EXPECT_GT(moved.revision, first.revision);
  EXPECT_EQ(moved.done, 1000u);
}

TEST(Progress, figures_are_renewed_once_a_second) {
  ProgressMeter meter;
  const auto now = ProgressMeter::Steady::now() + seconds{1};
  const Progress first = meter.snapshot(now);
  meter.advance(1000);
  EXPECT_EQ(meter.snapshot(now + std::chrono::milliseconds{900}), first);
  EXPECT_EQ(meter.snapshot(now + seconds{1}).done, 1000u);
}

}  // namespace
}  // namespace holdfast
