// Tests of what keeps a pruning from beginning and from ending, and of what it wants proven before a place of
// a point goes (law 12).
#include "engine/retention/prune.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "catalog/stores/copies.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/policies.h"
#include "catalog/stores/repositories.h"
#include "engine/image/writer.h"
#include "engine/repository/draft.h"
#include "engine/retention/room.h"
#include "engine/runs/begin.h"
#include "tests/engine/engine_room.h"
#include "tests/lib/must.h"
#include "tests/lib/small_file_system.h"

namespace holdfast::retention {
namespace {

using namespace std::chrono_literals;
using test::must;
using testing::IsEmpty;

class PruneTest : public testing::Test, protected test::EngineRoom {
 protected:
  PruneTest()
      : machine_(catalog_->write([](db::Connection& db) { return Machines(db).add("m", {}, Time{1s}); })
                     .value()
                     .id) {}

  const Id machine_;
  const source::Cancel never_;
  const Prove unasked_ = [](Id, std::optional<Id>) -> Result<std::string> {
    return fail(EINVAL, "nothing was to be proven");
  };
};

// A capture has published its point here and is about to commit it.
TEST_F(PruneTest, a_published_point_about_to_be_committed_does_not_refuse_a_pruning) {
  const std::string path = state_ / "r";
  std::filesystem::create_directory(path);
  const std::string marker = repository::Place::initialise(path).value().id;
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
  const auto refused = prune(services_, machine_, Judging::by_policy, unasked_, never_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EBUSY);
  EXPECT_EQ(refused.error().message,
            "the points of machine 'm' are being verified; prune when the verification has ended");
  const auto work = runs::begin_pruning(services_, machine_, {}, std::nullopt);
  ASSERT_TRUE(work) << work.error().message;
  EXPECT_GE(work->retries, 100);
  studies = {};
  EXPECT_TRUE(prune(services_, machine_, Judging::by_policy, unasked_, never_));
}

// Two points in "r" with copies in "offsite", whose policy keeps the newer copy only. The files are empty.
class EvidenceTest : public PruneTest {
 protected:
  EvidenceTest() {
    r_ = add_repository("r");
    offsite_ = add_repository("offsite");
    must(catalog_->write([&](db::Connection& db) -> Result<> {
      Machines machines(db);
      HF_CHECK(machines.add_disk(machine_, "disk-0"));
      HF_TRY(const auto disks, machines.disks(machine_));
      disk_ = disks.front();
      HF_TRY(const Policy policy, Policies(db).add("p", {}, Time{1s}));
      PolicyDefinition keeps_one;
      keeps_one.keep_last = 1;
      HF_CHECK(Policies(db).define(policy.id, keeps_one, Time{1s}));
      HF_TRY(const Flow flow, Flows(db).add("copy", {}, Time{1s}));
      flow_ = flow.id;
      FlowDefinition copies;
      copies.target = "machines/m";
      copies.repository = "offsite";
      copies.policy = "p";
      return Flows(db).define(flow_, copies, Time{1s});
    }));
    older_ = add_point("T1", Time{1s});
    newer_ = add_point("T2", Time{2s});
  }

  Id add_repository(const std::string& name) {
    const std::string path = state_ / name;
    std::filesystem::create_directory(path);
    const std::string marker = must(repository::Place::initialise(path)).id;
    return must(catalog_->write([&](db::Connection& db) -> Result<Id> {
      HF_TRY(const Repository repository, Repositories(db).add(name, {}, Time{1s}));
      HF_CHECK(Repositories(db).define(repository.id, {.path = path}, Time{1s}));
      HF_CHECK(Repositories(db).set_marker(repository.id, marker));
      return repository.id;
    }));
  }

  Layer add_layer(const std::string& repository, const std::string& point, Id chain) {
    const Layer layer{.id = new_id(),
                      .chain_id = chain,
                      .disk_id = disk_.id,
                      .parent_layer_id = {},
                      .file = point + "/disk-0.qcow2",
                      .image_id = random_hex(16)};
    const std::string directory = (state_ / repository) + "/" + key() + "/" + point;
    std::filesystem::create_directories(directory);
    for (const char* file : {"/manifest.json", "/disk-0.qcow2"}) std::ofstream(directory + file) << "";
    return layer;
  }

  // Adds the point and its copy, and returns the ids of both.
  std::pair<Id, Id> add_point(const std::string& name, Time time) {
    Point point;
    point.id = new_id();
    point.machine_id = machine_;
    point.repository_id = r_;
    point.chain_id = new_id();
    point.name = name;
    point.time = time;
    point.cluster_size = 65536;
    point.full_reason = FullReason::no_parent;
    const Layer layer = add_layer("r", name, point.chain_id);
    PointDisk disk;
    disk.id = new_id();
    disk.point_id = point.id;
    disk.disk_id = disk_.id;
    disk.name = "disk-0";
    disk.capacity = 65536;
    disk.full_reason = FullReason::no_parent;
    disk.layer_id = layer.id;
    point.disks = {disk};
    Copy copy;
    copy.id = new_id();
    copy.point_id = point.id;
    copy.machine_id = machine_;
    copy.repository_id = offsite_;
    copy.chain_id = new_id();
    copy.flow_id = flow_;
    const Layer copied = add_layer("offsite", name, copy.chain_id);
    copy.disks = {{.id = new_id(), .disk_id = disk_.id, .layer_id = copied.id, .sums_sha256 = {}}};
    must(catalog_->write([&](db::Connection& db) -> Result<> {
      Points points(db);
      HF_CHECK(points.add_chain({.id = point.chain_id, .machine_id = machine_, .repository_id = r_}));
      HF_CHECK(points.add(point));
      HF_CHECK(points.freeze(point.id, time, name, point.chain_id));
      HF_CHECK(points.commit(point, {layer}));
      HF_CHECK(points.add_chain({.id = copy.chain_id, .machine_id = machine_, .repository_id = offsite_}));
      HF_CHECK(Copies(db).add(copy));
      return Copies(db).commit(copy, {copied});
    }));
    return {point.id, copy.id};
  }

  std::string key() {
    return must(catalog_->read([&](db::Connection& db) { return Machines(db).get(machine_); })).key;
  }
  std::size_t copies_of_older() {
    return must(catalog_->read([&](db::Connection& db) { return Copies(db).of_point(older_.first); })).size();
  }

  Disk disk_;
  Id r_ = 0, offsite_ = 0, flow_ = 0;
  std::pair<Id, Id> older_, newer_;
};

TEST_F(EvidenceTest, a_copy_goes_once_the_point_itself_is_proven) {
  std::vector<std::pair<Id, std::optional<Id>>> asked;
  const Prove whole = [&](Id point, std::optional<Id> copy) -> Result<std::string> {
    asked.emplace_back(point, copy);
    return "";
  };
  const auto outcome = must(prune(services_, machine_, Judging::by_policy, whole, never_));
  EXPECT_EQ(outcome.moved, std::vector<std::string>{"T1"});
  EXPECT_EQ(outcome.put_off, std::vector<std::string>{});
  EXPECT_EQ(copies_of_older(), 0u);
  const std::vector<std::pair<Id, std::optional<Id>>> only_the_point{{older_.first, std::nullopt}};
  EXPECT_EQ(asked, only_the_point) << "nothing else is relied on";
}

TEST_F(EvidenceTest, a_copy_stays_when_the_point_itself_is_not_whole) {
  const Prove rotten = [](Id, std::optional<Id>) -> Result<std::string> { return "a bit is flipped"; };
  const auto outcome = must(prune(services_, machine_, Judging::by_policy, rotten, never_));
  EXPECT_EQ(outcome.moved, std::vector<std::string>{});
  EXPECT_EQ(outcome.put_off, std::vector<std::string>{
                                 "point T1 stays in repository 'offsite': its place in repository 'r' can't "
                                 "replace it: a bit is flipped"});
  EXPECT_FALSE(outcome.refused);
  EXPECT_EQ(copies_of_older(), 1u);
}

TEST_F(EvidenceTest, a_cancelled_proof_ends_the_pruning_and_nothing_goes) {
  const Prove cancelled = [](Id, std::optional<Id>) -> Result<std::string> {
    return fail(ECANCELED, "cancelled");
  };
  const auto outcome = prune(services_, machine_, Judging::by_policy, cancelled, never_);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ECANCELED);
  EXPECT_EQ(copies_of_older(), 1u);
}

TEST_F(EvidenceTest, a_copy_stays_when_all_other_places_are_known_to_be_damaged) {
  must(catalog_->write([&](db::Connection& db) -> Result<> {
    HF_CHECK(Copies(db).set_damaged(older_.second, true));
    return Points(db).set_verified(older_.first, {Time{3s}, VerifyLevel::checksums, VerdictResult::bad});
  }));
  const auto outcome = must(prune(services_, machine_, Judging::by_policy, unasked_, never_));
  EXPECT_EQ(outcome.put_off, std::vector<std::string>{"point T1 stays in repository 'offsite': its place in "
                                                      "repository 'r' is damaged"});
  EXPECT_EQ(copies_of_older(), 1u) << "each may have what the other has lost";
}

TEST_F(EvidenceTest, a_point_that_goes_altogether_needs_no_proof) {
  must(catalog_->write([&](db::Connection& db) {
    return Retention(db).set_retirement(machine_, Retention::Retired{.at = Time{1s}, .keep = 0s});
  }));
  const auto outcome = must(prune(services_, machine_, Judging::by_policy, unasked_, never_));
  EXPECT_EQ(outcome.gone, (std::vector<std::string>{"T1", "T2"}));
  EXPECT_EQ(outcome.put_off, std::vector<std::string>{});
}

// Adds points of the machine's one disk to a repository at a path.
class PrunedPoints : public PruneTest {
 protected:
  void add_repository(const std::string& path) {
    const std::string marker = must(repository::Place::initialise(path)).id;
    repository_ = must(catalog_->write([&](db::Connection& db) -> Result<Repository> {
      HF_TRY(const Repository added, Repositories(db).add("r", {}, Time{1s}));
      HF_CHECK(Repositories(db).define(added.id, {.path = path}, Time{1s}));
      HF_CHECK(Repositories(db).set_marker(added.id, marker));
      HF_CHECK(Machines(db).add_disk(machine_, "d"));
      return Repositories(db).get(added.id);
    }));
  }

  // Adds a point with `clusters` filled clusters, on the parent if there is one.
  Point add_point(const std::string& name, std::uint64_t clusters, const Point* parent = nullptr) {
    const image::ImageId image_id = image::new_image_id();
    Point point;
    point.id = new_id();
    point.machine_id = machine_;
    point.repository_id = repository_.id;
    point.chain_id = parent != nullptr ? parent->chain_id : new_id();
    point.time = Time{std::chrono::seconds{++made_}};
    point.cluster_size = kCluster;
    Layer layer;
    layer.id = new_id();
    layer.chain_id = point.chain_id;
    layer.file = name + "/d.qcow2";
    layer.image_id = image::hex(image_id);
    PointDisk disk;
    disk.id = new_id();
    disk.name = "d";
    disk.capacity = kDisk;
    disk.layer_id = layer.id;
    if (parent != nullptr) {
      point.kind = disk.kind = PointKind::incremental;
      point.parent_point_id = parent->id;
      layer.parent_layer_id = parent->disks[0].layer_id;
    } else {
      point.full_reason = disk.full_reason = FullReason::no_parent;
    }
    must(catalog_->write([&](db::Connection& db) -> Result<> {
      HF_TRY(const auto disks, Machines(db).disks(machine_));
      layer.disk_id = disk.disk_id = disks[0].id;
      if (parent == nullptr) HF_CHECK(Points(db).add_chain({point.chain_id, machine_, repository_.id}));
      point.name = "writing";
      HF_CHECK(Points(db).add(point));
      point.name = name;
      return Points(db).freeze(point.id, point.time, name, point.chain_id);
    }));
    point.disks.push_back(disk);

    auto draft = must(repository::Draft::create(must(shelf_.place(repository_)), key(), name));
    const auto files = must(draft.create_disk("d", layer.image_id));
    image::WriterOptions options{
        .virtual_size = kDisk, .cluster_size = kCluster, .codec = image::Codec::none};
    options.id = image_id;
    if (parent != nullptr) options.backing_file = "../" + parent->name + "/d.qcow2";
    const auto writer = must(image::Writer::create(*files.image, *files.sums, options));
    must(writer->write(0, Bytes(clusters * kCluster, std::byte{1})));
    must(writer->finish_segment(0));
    must(writer->finish());
    must(draft.publish(point, {.machine = "m", .repository = "r", .parent = ""}, {layer}));
    must(catalog_->write([&](db::Connection& db) { return Points(db).commit(point, {layer}); }));
    return point;
  }
  std::string key() {
    return must(catalog_->read([&](db::Connection& db) { return Machines(db).get(machine_); })).key;
  }
  void retire(const Point& point) {
    must(catalog_->write([&](db::Connection& db) { return Retention(db).retire(point.id, Time{9s}); }));
  }

  static constexpr std::uint32_t kCluster = 64 * kKiB;
  static constexpr std::uint64_t kDisk = 8 * kCluster;
  Repository repository_;
  int made_ = 0;  // points
};

// NFS before 4.2, FAT and some FUSE file systems can't punch.
TEST_F(PrunedPoints, a_pruning_without_hole_punching_ends_and_leaves_no_work) {
  const test::FileSystemWithoutHoles files;
  add_repository(files.path());
  const Point first = add_point("T1", 8);
  const Point second = add_point("T2", 4, &first);
  add_point("T3", 2, &second);
  retire(first);
  retire(second);
  const PruneOutcome pruned = must(prune(services_, machine_, Judging::nobody, unasked_, never_));
  EXPECT_THAT(pruned.put_off, IsEmpty());
  EXPECT_FALSE(pruned.refused);
  EXPECT_EQ(pruned.bytes_freed, 0u);
  const auto layers = must(
      catalog_->read([&](db::Connection& db) { return Retention(db).layers(machine_, repository_.id); }));
  EXPECT_EQ(layers.size(), 3u) << "the newest point rests on all layers";

  // A pruning with work would miss the repository.
  std::filesystem::remove(files.path() + "/holdfast.json");
  EXPECT_THAT(must(prune(services_, machine_, Judging::nobody, unasked_, never_)).put_off, IsEmpty());
}

// Negative control of the test above.
TEST_F(PrunedPoints, a_pruning_with_hole_punching_frees_what_the_kept_point_hides) {
  std::filesystem::create_directory(state_ / "r");
  add_repository(state_ / "r");
  const Point first = add_point("T1", 8);
  add_point("T2", 4, &first);
  retire(first);
  const PruneOutcome pruned = must(prune(services_, machine_, Judging::nobody, unasked_, never_));
  EXPECT_THAT(pruned.put_off, IsEmpty());
  EXPECT_EQ(pruned.bytes_freed, 4 * kCluster);
}

}  // namespace
}  // namespace holdfast::retention
