// Tests full reads and increments of a qemu-storage-daemon's disks.
#include <random>

#include "tests/sources/fixture.h"

namespace holdfast::test {
namespace {

using ::testing::ElementsAre;

class Backup : public QmpDriverTest {};

TEST_F(Backup, a_disk_without_a_parent_is_read_whole) {
  boot();
  daemon_->fill("disk0", 0, 100'000, 'a');
  daemon_->fill("disk0", 5 * kMiB, 300'000, 'b');
  auto capture = prepare();
  EXPECT_EQ(capture->disks()[0].name, "the-disk0");
  EXPECT_EQ(capture->disks()[0].capacity, 16 * kMiB);
  EXPECT_EQ(capture->disks()[0].full_reason, FullReason::no_parent);
  EXPECT_EQ(capture->consistency(), Consistency::crash);
  std::uint64_t moved = 0;
  EXPECT_EQ(read_all(*capture, 0, {}, &moved), daemon_->truth("disk0"));
  EXPECT_LE(moved, 100'000 + 300'000 + 4 * 64 * kKiB) << "holes are not read";
  ASSERT_TRUE(capture->commit());
}

TEST_F(Backup, a_committed_capture_leaves_only_the_new_bitmap) {
  boot();
  Json expected = traces();
  auto capture = prepare();
  EXPECT_NE(traces(), expected) << "traces() is blind";
  const std::string change_id = capture->disks()[0].change_id;
  ASSERT_TRUE(capture->commit());
  EXPECT_TRUE(change_id.starts_with("hf-3f2a91c0-"));
  expected["nodes"]["disk0"][change_id] = {{"recording", true}, {"persistent", true}, {"busy", false}};
  EXPECT_EQ(traces(), expected);
  EXPECT_TRUE(ledger_.leftovers().empty());
}

TEST_F(Backup, an_increment_reports_exactly_the_changed_areas) {
  boot();
  daemon_->fill("disk0", 0, 4 * kMiB, 'a');
  Bytes record;
  const std::string first = committed_full(record);
  daemon_->fill("disk0", 1 * kMiB + 5, 1, 'b');
  daemon_->fill("disk0", 3 * kMiB - 1, 2, 'c');
  auto capture = prepare({{"disk0", first}});
  EXPECT_EQ(capture->disks()[0].full_reason, std::nullopt);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> changed;
  const std::vector<Extent> extents = capture->open(0).value()->extents(0, 16 * kMiB).value();
  for (const Extent& extent : extents)
    if (extent.changed) changed.emplace_back(extent.offset, extent.length);
  EXPECT_THAT(changed, ElementsAre(std::pair{kMiB, 64 * kKiB}, std::pair{3 * kMiB - 64 * kKiB, 128 * kKiB}));
  EXPECT_EQ(read_all(*capture, 0, record), daemon_->truth("disk0"));
  ASSERT_TRUE(capture->commit());
  EXPECT_THAT(bitmaps(), ElementsAre(capture->disks()[0].change_id)) << "the parent's bitmap goes";
}

TEST_F(Backup, writes_during_a_capture_do_not_change_its_instant) {
  boot();
  daemon_->fill("disk0", 0, 8 * kMiB, 'a');
  const Bytes record = daemon_->truth("disk0");
  auto capture = prepare();
  for (int i = 0; i < 32; ++i)
    daemon_->fill("disk0", static_cast<std::uint64_t>(i) * 400'000, 100'000, static_cast<char>('b' + i % 20));
  EXPECT_EQ(read_all(*capture, 0, {}), record);
  EXPECT_NE(record, daemon_->truth("disk0"));
  ASSERT_TRUE(capture->commit());
}

TEST_F(Backup, a_changed_area_of_zeros_is_reported_as_zero) {
  boot();
  daemon_->fill("disk0", 0, 2 * kMiB, 'a');
  Bytes record;
  const std::string first = committed_full(record);
  const Fd window{::open(daemon_->window("disk0").c_str(), O_RDWR | O_CLOEXEC)};
  ASSERT_EQ(::fallocate(window.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, kMiB, 128 * kKiB), 0);
  std::fill_n(daemon_->truth("disk0").begin() + kMiB, 128 * kKiB, std::byte{0});
  auto capture = prepare({{"disk0", first}});
  std::uint64_t moved = 0;
  EXPECT_EQ(read_all(*capture, 0, record, &moved), daemon_->truth("disk0"));
  EXPECT_EQ(moved, 0u);
  ASSERT_TRUE(capture->commit());
}

// QEMU's bitmap stays clean. So the engine compares unchanged zeros with the parent.
TEST_F(Backup, a_qcow2_disk_made_smaller_and_as_large_again_has_unchanged_zeros) {
  boot();
  daemon_->fill("disk0", 0, 16 * kMiB, 'a');
  Bytes record;
  const std::string first = committed_full(record);
  for (const std::uint64_t size : {4 * kMiB, 16 * kMiB})
    daemon_->tell("block_resize", {{"node-name", "disk0"}, {"size", size}});
  std::fill(daemon_->truth("disk0").begin() + 4 * kMiB, daemon_->truth("disk0").end(), std::byte{0});
  auto capture = prepare({{"disk0", first}});
  EXPECT_EQ(capture->disks()[0].full_reason, std::nullopt);
  EXPECT_NE(read_all(*capture, 0, record), daemon_->truth("disk0")) << "QEMU reports the change now";
  const std::vector<Extent> extents = capture->open(0).value()->extents(0, 16 * kMiB).value();
  ASSERT_EQ(extents.size(), 2u);
  EXPECT_EQ(extents[1].offset, 4 * kMiB);
  EXPECT_TRUE(extents[1].zero);
  EXPECT_FALSE(extents[1].changed);
  ASSERT_TRUE(capture->abandon());
}

TEST_F(Backup, a_raw_disk_has_increments_too) {
  boot({{.node = "disk0", .format = "raw"}});
  daemon_->fill("disk0", 0, 3 * kMiB, 'a');
  Bytes record;
  const std::string first = committed_full(record);
  daemon_->fill("disk0", 2 * kMiB, 10, 'b');
  auto capture = prepare({{"disk0", first}});
  EXPECT_EQ(capture->disks()[0].full_reason, std::nullopt);
  std::uint64_t moved = 0;
  EXPECT_EQ(read_all(*capture, 0, record, &moved), daemon_->truth("disk0"));
  EXPECT_EQ(moved, 64 * kKiB);
  ASSERT_TRUE(capture->commit());
}

TEST_F(Backup, a_disk_of_odd_size_is_read_to_its_end) {
  boot({{.node = "disk0", .size = 5 * kMiB + 512}});
  daemon_->fill("disk0", 5 * kMiB - 10, 522, 'z');
  Bytes record;
  const std::string first = committed_full(record);
  EXPECT_EQ(record, daemon_->truth("disk0"));
  daemon_->fill("disk0", 5 * kMiB + 500, 12, 'y');
  auto capture = prepare({{"disk0", first}});
  EXPECT_EQ(read_all(*capture, 0, record), daemon_->truth("disk0"));
  ASSERT_TRUE(capture->commit());
}

TEST_F(Backup, two_disks_are_frozen_together) {
  boot({{.node = "disk0"}, {.node = "disk1", .format = "raw", .size = 4 * kMiB}});
  daemon_->fill("disk0", 0, kMiB, 'a');
  daemon_->fill("disk1", 0, kMiB, 'b');
  const Json before = traces();
  auto capture = driver_.prepare(request(machine({"disk0", "disk1"})), ledger_).value();
  const Bytes disk0 = daemon_->truth("disk0"), disk1 = daemon_->truth("disk1");
  daemon_->fill("disk0", 0, kMiB, 'c');
  daemon_->fill("disk1", 0, kMiB, 'd');
  EXPECT_EQ(read_all(*capture, 1, {}), disk1);
  EXPECT_EQ(read_all(*capture, 0, {}), disk0);
  ASSERT_TRUE(capture->abandon());
  EXPECT_EQ(traces(), before);
}

TEST_F(Backup, captures_for_two_repositories_keep_their_changes_apart) {
  boot();
  daemon_->fill("disk0", 0, kMiB, 'a');
  Bytes here, there;
  const std::string first_here = committed_full(here);
  daemon_->fill("disk0", 2 * kMiB, 100, 'b');
  auto other = driver_.prepare(request(machine(), {}, "0badcafe"), ledger_).value();
  there = read_all(*other, 0, {});
  const std::string first_there = other->disks()[0].change_id;
  ASSERT_TRUE(other->commit());
  daemon_->fill("disk0", 4 * kMiB, 100, 'c');

  std::uint64_t moved = 0;
  auto capture = prepare({{"disk0", first_here}});
  EXPECT_EQ(read_all(*capture, 0, here, &moved), daemon_->truth("disk0"));
  EXPECT_EQ(moved, 128 * kKiB);
  ASSERT_TRUE(capture->commit());
  other = driver_.prepare(request(machine(), {{"disk0", first_there}}, "0badcafe"), ledger_).value();
  EXPECT_EQ(read_all(*other, 0, there, &moved), daemon_->truth("disk0"));
  EXPECT_EQ(moved, 64 * kKiB);
  ASSERT_TRUE(other->commit());
  EXPECT_EQ(bitmaps().size(), 2u);
}

TEST_F(Backup, two_machines_behind_one_socket_are_captured_at_the_same_time) {
  boot({{.node = "disk0"}, {.node = "disk1"}});
  daemon_->fill("disk0", 0, kMiB, 'a');
  daemon_->fill("disk1", 0, kMiB, 'b');
  const Json before = traces();
  auto one = driver_.prepare(request(machine({"disk0"})), ledger_).value();
  auto two = driver_.prepare(request(machine({"disk1"})), ledger_).value();
  ASSERT_TRUE(one->abandon());
  EXPECT_EQ(read_all(*two, 0, {}), daemon_->truth("disk1"))
      << "the first one's end must not take the server away";
  ASSERT_TRUE(two->abandon());
  EXPECT_EQ(traces(), before);
}

TEST_F(Backup, many_increments_under_random_writes_equal_the_record) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  boot();
  Bytes copy;
  std::string since = committed_full(copy);
  const auto scribble = [&] {
    for (int i = 0; i < 20; ++i) {
      const std::uint64_t length = 1 + random() % 90'000;
      daemon_->fill("disk0", random() % (16 * kMiB - length), length, static_cast<char>(random()));
    }
  };
  for (int round = 0; round < 12; ++round) {
    scribble();
    const Bytes instant = daemon_->truth("disk0");
    auto capture = prepare({{"disk0", since}});
    ASSERT_EQ(capture->disks()[0].full_reason, std::nullopt);
    scribble();
    const Bytes read = read_all(*capture, 0, copy);
    ASSERT_EQ(read, instant) << "round " << round;
    if (random() % 3 == 0) {
      ASSERT_TRUE(capture->abandon());
    } else {
      copy = read;
      since = capture->disks()[0].change_id;
      ASSERT_TRUE(capture->commit());
    }
    EXPECT_THAT(bitmaps(), ElementsAre(since));
  }
}

}  // namespace
}  // namespace holdfast::test
