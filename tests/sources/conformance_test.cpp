// Tests the promises of every driver against its real peers.
#include <gmock/gmock.h>

#include <functional>

#include "tests/lib/cannot_run.h"
#include "tests/sources/fixture.h"
#include "tests/sources/peers.h"

namespace holdfast::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Kind {
  const char* name;
  std::function<std::unique_ptr<Peer>()> make;
};

template <class P>
Kind kind(const char* name) {
  return {name, [] { return std::make_unique<P>(); }};
}

class Conformance : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(open_directory(state_.path()).value()->make_directory("scratch"));
    try {
      peer_ = GetParam().make();
    } catch (const std::exception& problem) {
      HF_CANNOT_RUN(problem.what());
    }
  }

  source::PrepareRequest request(const std::vector<source::FrozenDisk>& parent = {}) const {
    source::PrepareRequest request{
        .machine = peer_->machine(), .repository_marker = "3f2a91c0", .scratch = state_ / "scratch"};
    for (const DiskDefinition& disk : request.machine.disks) request.disks.push_back({disk});
    for (std::size_t i = 0; i < parent.size(); ++i) {
      source::DiskRequest& disk = request.disks[i];
      disk.since = disk.supersedes = parent[i].change_id;
      disk.last_capacity = parent[i].capacity;
      disk.last_identity = parent[i].identity;
    }
    return request;
  }
  std::unique_ptr<Capture> prepare(const std::vector<source::FrozenDisk>& parent = {}) {
    auto capture = peer_->driver().prepare(request(parent), ledger_);
    if (!capture) throw std::runtime_error(capture.error().message);
    return std::move(*capture);
  }
  // Reads the areas that the extents call changed on top of `parent`.
  Bytes read(Capture& capture, std::size_t disk, Bytes parent, std::uint64_t* moved = nullptr) {
    auto reader = capture.open(disk).value();
    const std::uint64_t capacity = capture.disks().at(disk).capacity;
    Copy copy(std::move(parent));
    copy.bytes.resize(capacity);
    std::vector<Range> wanted;
    std::uint64_t covered = 0;
    const auto extents = reader->extents(0, capacity).value();
    for (const Extent& extent : extents) {
      EXPECT_EQ(extent.offset, covered) << "no gap, no overlap";
      EXPECT_GT(extent.length, 0u);
      covered += extent.length;
      if (!extent.changed) continue;
      if (extent.zero)
        std::fill_n(copy.bytes.begin() + static_cast<std::ptrdiff_t>(extent.offset), extent.length,
                    std::byte{0});
      else
        wanted.push_back({extent.offset, extent.length});
    }
    EXPECT_EQ(covered, capacity);
    const auto done = reader->read(wanted, copy.sink(), Cancel{});
    EXPECT_TRUE(done) << done.error().message;
    if (moved != nullptr) *moved = copy.moved;
    return std::move(copy.bytes);
  }
  void fill(std::size_t disk, std::uint64_t offset, std::uint64_t length, char with) {
    peer_->write(disk, offset, Bytes(length, static_cast<std::byte>(with)));
  }

  TemporaryDirectory state_;
  FileLedger ledger_{state_ / "ledger"};
  std::unique_ptr<Peer> peer_;
};

TEST_P(Conformance, discover_lists_the_disks_and_their_change_tracking) {
  const auto found = peer_->driver().discover(peer_->machine()).value();
  ASSERT_EQ(found.size(), 2u);
  for (const auto& disk : found) {
    EXPECT_EQ(disk.capacity, Peer::kSize);
    EXPECT_TRUE(disk.tracks_changes || !disk.why_not.empty()) << disk.name;
  }
}

TEST_P(Conformance, two_disks_read_as_their_content) {
  fill(0, 0, 100'000, 'a');
  fill(0, 5 * kMiB + 7, 300'000, 'b');
  fill(1, Peer::kSize - 1000, 1000, 'c');
  auto capture = prepare();
  ASSERT_EQ(capture->disks().size(), 2u);
  for (const std::size_t disk : {0u, 1u}) {
    EXPECT_EQ(capture->disks()[disk].name, disk == 0 ? "a" : "b");
    EXPECT_EQ(capture->disks()[disk].capacity, Peer::kSize);
    EXPECT_EQ(capture->disks()[disk].full_reason, FullReason::no_parent);
    EXPECT_EQ(read(*capture, disk, {}), peer_->truth(disk));
  }
  ASSERT_TRUE(capture->commit());
}

TEST_P(Conformance, holes_are_not_read) {
  fill(0, 3 * kMiB, 200'000, 'a');
  auto capture = prepare();
  std::uint64_t moved = 0;
  EXPECT_EQ(read(*capture, 0, {}, &moved), peer_->truth(0));
  if (peer_->knows_holes())
    EXPECT_LE(moved, 200'000 + 2 * 64 * kKiB);
  else
    EXPECT_EQ(moved, Peer::kSize);
  ASSERT_TRUE(capture->abandon());
}

// capture/content_filter decides what of a reading is stored: by content, or by the extents.
TEST_P(Conformance, an_increment_has_every_change_since_its_parent) {
  fill(0, 0, kMiB, 'a');
  auto first = prepare();
  const Bytes before = read(*first, 0, {});
  const auto parent = first->disks();
  ASSERT_TRUE(first->commit());
  fill(0, kMiB - 10, 20, 'b');
  fill(0, 6 * kMiB, 10, 'c');
  auto second = prepare(parent);
  const source::FrozenDisk& disk = second->disks()[0];
  EXPECT_EQ(disk.full_reason, std::nullopt);
  std::uint64_t moved = 0;
  EXPECT_EQ(read(*second, 0, before, &moved), peer_->truth(0));
  EXPECT_TRUE(disk.by_content || moved <= 3 * 64 * kKiB) << moved;
  ASSERT_TRUE(second->commit());
}

TEST_P(Conformance, a_grown_disk_becomes_a_full) {
  auto first = prepare();
  auto parent = first->disks();
  ASSERT_TRUE(first->commit());
  parent[0].capacity /= 2;
  auto second = prepare(parent);
  EXPECT_EQ(second->disks()[0].full_reason, FullReason::capacity_changed);
  EXPECT_EQ(second->disks()[1].full_reason, std::nullopt);
  ASSERT_TRUE(second->abandon());
}

TEST_P(Conformance, commit_and_abandon_leave_nothing_behind) {
  const std::string before = peer_->traces();
  ASSERT_TRUE(prepare()->abandon());
  EXPECT_EQ(peer_->traces(), before);
  ASSERT_TRUE(prepare()->commit());
  EXPECT_EQ(peer_->traces(), before);
  EXPECT_THAT(ledger_.leftovers(), IsEmpty());
}

TEST_P(Conformance, a_sweep_removes_the_leftovers_of_a_lost_capture) {
  const std::string before = peer_->traces();
  prepare().reset();
  ASSERT_TRUE(
      peer_->driver().sweep(peer_->machine(), ledger_.leftovers(), source::PointFate::failed, ledger_));
  EXPECT_EQ(peer_->traces(), before);
  EXPECT_THAT(ledger_.leftovers(), IsEmpty());
  ASSERT_TRUE(prepare()->commit()) << "and the next one works";
}

TEST_P(Conformance, a_cancel_ends_the_reading_at_the_next_request) {
  fill(0, 0, Peer::kSize, 'a');
  auto capture = prepare();
  auto reader = capture->open(0).value();
  Cancel cancel;
  int pieces = 0;
  const Range all{0, Peer::kSize};
  const auto done = reader->read(
      {&all, 1},
      [&](std::uint64_t, ByteView) -> Result<> {
        if (++pieces == 3) cancel.request();
        return {};
      },
      cancel);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ECANCELED);
  EXPECT_EQ(pieces, 3);
  reader.reset();
  ASSERT_TRUE(capture->abandon());
}

TEST_P(Conformance, an_error_of_the_sink_ends_the_reading) {
  fill(0, 0, Peer::kSize, 'a');
  auto capture = prepare();
  auto reader = capture->open(0).value();
  const Range all{0, Peer::kSize};
  const auto done = reader->read(
      {&all, 1}, [](std::uint64_t, ByteView) -> Result<> { return fail(ENOSPC, "full"); }, Cancel{});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ENOSPC);
  EXPECT_TRUE(reader->read(
      {&all, 1}, [](std::uint64_t, ByteView) -> Result<> { return {}; }, Cancel{}));
  reader.reset();
  ASSERT_TRUE(capture->abandon());
}

TEST_P(Conformance, a_range_outside_the_disk_is_refused) {
  auto capture = prepare();
  auto reader = capture->open(0).value();
  const Range outside{Peer::kSize - 10, 11};
  const auto done = reader->read(
      {&outside, 1}, [](std::uint64_t, ByteView) -> Result<> { return {}; }, Cancel{});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, EINVAL);
  EXPECT_FALSE(reader->extents(Peer::kSize - 10, 11));
  reader.reset();
  ASSERT_TRUE(capture->abandon());
}

INSTANTIATE_TEST_SUITE_P(Of, Conformance,
                         ::testing::Values(kind<FilePeer>("File"), kind<LoopPeer>("LoopDevice"),
                                           kind<Qcow2Peer>("Qcow2File"), kind<NbdkitPeer>("Nbdkit"),
                                           kind<PlainNbdkitPeer>("NbdkitWithoutExtents"),
                                           kind<QemuNbdPeer>("QemuNbd"),
                                           kind<StorageDaemonNbdPeer>("StorageDaemonsNbd"),
                                           kind<QmpPeer>("StorageDaemonsQmp"), kind<QemuPeer>("QemusQmp")),
                         [](const auto& peer) { return std::string(peer.param.name); });

}  // namespace
}  // namespace holdfast::test
