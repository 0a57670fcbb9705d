// Tests of what keeps a pruning from beginning.
#include "engine/retention/prune.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "engine/retention/room.h"
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

// A capture has published its point here and is about to commit it.
TEST_F(PruneTest, a_published_point_about_to_be_committed_does_not_refuse_a_pruning) {
  const std::string path = state_ / "r";
  std::filesystem::create_directory(path);
  const std::string marker = repository::Place::initialise(path).value();
  std::filesystem::create_directories(path + "/m-key/T");
  std::ofstream(path + "/m-key/T/manifest.json") << "{}";
  PruneOutcome outcome;
  Ground ground{services_, repository::Place::open(path, marker).value(), "m-key", "r", machine_, 0, never_,
                outcome};
  const auto written = catalog_->write([&](db::Connection& db) -> Result<> {
    HF_TRY(const Repository repository, Repositories(db).add("r", {}, Time{1s}));
    ground.repository = repository.id;
    return {};
  });
  ASSERT_TRUE(written) << written.error().message;
  const auto stranger = check_listing(ground);
  ASSERT_FALSE(stranger);
  EXPECT_NE(stranger.error().message.find("that the catalog doesn't know"), std::string::npos);

  const auto frozen = catalog_->write([&](db::Connection& db) -> Result<> {
    Point point;
    point.id = new_id();
    point.machine_id = machine_;
    point.repository_id = ground.repository;
    point.name = "writing-1";
    point.time = Time{1s};
    HF_CHECK(Points(db).add(point));
    const Id chain = new_id();
    HF_CHECK(Points(db).add_chain({.id = chain, .machine_id = machine_, .repository_id = ground.repository}));
    return Points(db).freeze(point.id, Time{2s}, "T", chain);
  });
  ASSERT_TRUE(frozen) << frozen.error().message;
  const auto known = check_listing(ground);
  EXPECT_TRUE(known) << known.error().message;
}

// The job of such a pruning is retried, which runner_test tests.
TEST_F(PruneTest, a_pruning_returns_ebusy_while_points_are_verified) {
  auto studies = readers_.study(machine_, [] { return false; });
  const auto refused = prune(services_, machine_, Judging::by_policy, never_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EBUSY);
  EXPECT_EQ(refused.error().message,
            "the points of machine 'm' are being verified; prune when the verification has ended");
  const auto work = runs::begin_pruning(services_, machine_, {}, std::nullopt);
  ASSERT_TRUE(work) << work.error().message;
  EXPECT_GE(work->retries, 100);
  studies = {};
  EXPECT_TRUE(prune(services_, machine_, Judging::by_policy, never_));
}

}  // namespace
}  // namespace holdfast::retention
