#include "engine/capture/throttle.h"

#include <gtest/gtest.h>

#include <thread>

#include "catalog/base/bytes.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/sources.h"
#include "engine/capture/shared_throttles.h"
#include "tests/engine/engine_room.h"

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

class SharedThrottles : public testing::Test, protected test::EngineRoom {
 protected:
  // Makes a machine in the source "kvm".
  Machine machine(const std::string& name) {
    MachineDefinition definition;
    definition.driver = Driver::file;
    definition.source = "kvm";
    definition.disks = {{.name = "disk-0", .path = "/dev/" + name}};
    return catalog_
        ->write([&](db::Connection& db) -> Result<Machine> {
          HF_TRY(const Machine added, Machines(db).add(name, {}, {}));
          HF_CHECK(Machines(db).define(added.id, definition, {}));
          return Machines(db).get(added.id);
        })
        .value();
  }
  void make_source(std::uint64_t bandwidth) {
    const auto made = catalog_->write([&](db::Connection& db) -> Result<> {
      HF_TRY(const Source added, Sources(db).add("kvm", {}, {}));
      SourceDefinition definition;
      definition.uri = "qemu:///system";
      definition.bandwidth = bandwidth;
      return Sources(db).define(added.id, definition, {});
    });
    ASSERT_TRUE(made) << made.error().message;
  }
};

TEST_F(SharedThrottles, machines_of_one_source_share_its_rate_beside_their_own) {
  make_source(4 * kMiB);
  const Repository repository{};
  const auto one = shared_throttles(services_, machine("one"), repository).value();
  const auto other = shared_throttles(services_, machine("other"), repository).value();
  ASSERT_EQ(one.size(), 3u);
  EXPECT_EQ(one[0], other[0]) << "the repository's";
  EXPECT_NE(one[1], other[1]) << "the machines' own";
  EXPECT_EQ(one[2], other[2]) << "the source's";
  const double taken = seconds_of([&] {
    EXPECT_TRUE(one[2]->take(kMiB, {}));
    EXPECT_TRUE(other[2]->take(kMiB, {}));
  });
  EXPECT_GE(taken, 0.5);
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
