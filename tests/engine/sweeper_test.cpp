// Leftovers of a run are removed later without another run, and never beside one.
#include "engine/runs/sweeper.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>

#include "catalog/stores/jobs.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "tests/engine/engine_room.h"

namespace holdfast::runs {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

using test::kNow;

// A machine with a point that was never finished, in a repository that can be away.
class SweeperTest : public testing::Test, protected test::EngineRoom {
 protected:
  SweeperTest() {
    fs::create_directory(state_ / "r");
    const std::string marker = repository::Place::initialise(state_ / "r").value().id;
    write([&](db::Connection& db) -> Result<> {
      HF_TRY(const Machine machine, Machines(db).add("m", {}, kNow));
      machine_ = machine.id;
      HF_TRY(const Repository repository, Repositories(db).add("r", {}, kNow));
      HF_CHECK(Repositories(db).define(repository.id, {.path = state_ / "r"}, kNow));
      HF_CHECK(Repositories(db).set_marker(repository.id, marker));
      HF_CHECK(Jobs(db).add({.id = job_, .name = "1", .owner = "flows/f", .created_at = kNow}));
      Point point;
      point.id = new_id();
      point.machine_id = machine_;
      point.repository_id = repository.id;
      point.name = "writing-1";
      point.time = kNow;
      return Points(db).add(point);
    });
    runner_.set_limit(1);
  }

  void write(const std::function<Result<>(db::Connection&)>& change) {
    const auto done = catalog_->write(change);
    ASSERT_TRUE(done) << done.error().message;
  }
  bool settled() {
    return catalog_->read([](db::Connection& db) { return Points(db).writing(); })->empty();
  }
  static void until(const std::function<bool()>& condition) {
    while (!condition()) std::this_thread::sleep_for(1ms);
  }
  // Returns when a try that began after the call has ended.
  void await_try() {
    const auto claimed = [this] {
      const bool free = runner_.claim(machine_);
      if (free) runner_.release(machine_);
      return !free;
    };
    while (!claimed()) continue;
    while (claimed()) continue;
  }

  Id machine_ = 0;
  const Id job_ = new_id();
  Runner runner_{services_, nobody_, {}, [](const Execution&) {}};
};

TEST_F(SweeperTest, leftovers_that_could_not_be_removed_are_retried_until_they_are) {
  Sweeper sweeper(services_, runner_, {.first = 1ms, .longest = 4ms});
  fs::rename(state_ / "r", state_ / "away");
  left_behind_.add(machine_);
  await_try();
  await_try();
  EXPECT_FALSE(settled());
  fs::rename(state_ / "away", state_ / "r");
  until([this] { return settled(); });
}

TEST_F(SweeperTest, a_sweep_waits_while_a_job_uses_the_machine) {
  Sweeper sweeper(services_, runner_, {.first = 1ms, .longest = 4ms});
  std::atomic<bool> going_on = false;
  bool left_alone = false;
  Work work{.job = job_, .machine = machine_};
  work.perform = [&](ProgressMeter&, const source::Cancel&) -> Result<JobEnd> {
    left_behind_.add(machine_);
    going_on.wait(false);
    left_alone = !settled();
    return JobEnd{};
  };
  runner_.add(std::move(work));
  until([this] { return !runner_.claim(machine_) || (runner_.release(machine_), false); });
  std::this_thread::yield();
  going_on = true;
  going_on.notify_all();
  until([this] { return settled(); });
  EXPECT_TRUE(left_alone);
}

TEST_F(SweeperTest, a_job_waits_for_a_claimed_machine) {
  ASSERT_TRUE(runner_.claim(machine_));
  EXPECT_FALSE(runner_.claim(machine_));
  std::atomic<bool> released = false, done = false;
  Work work{.job = job_, .machine = machine_};
  work.perform = [&](ProgressMeter&, const source::Cancel&) -> Result<JobEnd> {
    EXPECT_TRUE(released);
    done = true;
    return JobEnd{};
  };
  runner_.add(std::move(work));
  released = true;
  runner_.release(machine_);
  until([&] { return done.load(); });
}

TEST_F(SweeperTest, a_stop_ends_the_pause_before_a_sweep) {
  Sweeper sweeper(services_, runner_, {.first = 24h, .longest = 24h});
  fs::rename(state_ / "r", state_ / "away");
  left_behind_.add(machine_);
  sweeper.stop();
  EXPECT_FALSE(settled());
}

}  // namespace
}  // namespace holdfast::runs
