#include "engine/capture/throttle.h"

#include <gtest/gtest.h>

#include <thread>

#include "catalog/base/bytes.h"

namespace holdfast::capture {
namespace {

using Steady = std::chrono::steady_clock;

double seconds_of(const std::function<void()>& work) {
  const auto begun = Steady::now();
  work();
  return std::chrono::duration<double>(Steady::now() - begun).count();
}

TEST(Throttle, bytes_without_a_rate_pass_at_once) {
  Throttle throttle;
  source::Cancel cancelled;
  cancelled.request();
  EXPECT_TRUE(throttle.take(kTiB, cancelled)) << "a wait would end in ECANCELED";
}

// Bytes must not pass faster than the rate; how much slower depends on the machine.
TEST(Throttle, bytes_never_pass_faster_than_the_rate) {
  Throttle throttle;
  throttle.set_rate(4 * kMiB);
  const double taken = seconds_of([&] {
    for (int i = 0; i < 8; ++i) EXPECT_TRUE(throttle.take(256 * kKiB, {}));
  });
  EXPECT_GE(taken, 0.5);
}

TEST(Throttle, two_jobs_share_one_rate) {
  Throttles throttles;
  const auto one = throttles.of(1, 4 * kMiB);
  const auto other = throttles.of(1, 4 * kMiB);
  EXPECT_EQ(one, other);
  EXPECT_NE(one, throttles.of(2, 4 * kMiB));
  const double taken = seconds_of([&] {
    std::thread beside([&] { EXPECT_TRUE(other->take(kMiB, {})); });
    EXPECT_TRUE(one->take(kMiB, {}));
    beside.join();
  });
  EXPECT_GE(taken, 0.5);
}

TEST(Throttle, a_removed_rate_takes_effect_at_once) {
  Throttles throttles;
  const auto throttle = throttles.of(1, 1);
  throttles.changed(1, std::nullopt);
  source::Cancel cancelled;
  cancelled.request();
  EXPECT_TRUE(throttle->take(kGiB, cancelled)) << "a wait would end in ECANCELED";
}

TEST(Throttle, a_cancel_ends_a_wait) {
  Throttle throttle;
  throttle.set_rate(1);
  source::Cancel cancel;
  cancel.request();
  const auto taken = throttle.take(kMiB, cancel);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ECANCELED);
}

}  // namespace
}  // namespace holdfast::capture
