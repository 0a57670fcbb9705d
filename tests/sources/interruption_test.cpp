// Tests captures that end early: the things they leave, and the changes that must not be lost.

#include "tests/sources/fixture.h"

namespace holdfast::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Interruption : public QmpDriverTest {
 protected:
  // Commits a full of 'a' with 'b' at one place; the next point must hold both.
  void begin(const std::string& format = "qcow2") {
    boot({{.node = "disk0", .format = format}});
    daemon_->fill("disk0", 0, 2 * kMiB, 'a');
    since_ = committed_full(record_);
    daemon_->fill("disk0", kMiB, 100, 'b');
    before_ = traces();
  }
  // Checks that the next increment on `record_` gives the current disk, and moves no more than `most` bytes.
  void expect_nothing_lost(std::uint64_t most) {
    auto capture = prepare({{"disk0", since_}});
    EXPECT_EQ(capture->disks()[0].full_reason, std::nullopt);
    std::uint64_t moved = 0;
    EXPECT_EQ(read_all(*capture, 0, record_, &moved), daemon_->truth("disk0"));
    EXPECT_LE(moved, most);
    const auto abandoned = capture->abandon();
    EXPECT_TRUE(abandoned) << abandoned.error().message;
  }

  std::string since_;
  Bytes record_;
  Json before_;
};

TEST_F(Interruption, abandoning_a_capture_loses_no_change) {
  begin();
  auto capture = prepare({{"disk0", since_}});
  daemon_->fill("disk0", 3 * kMiB, 100, 'c');
  ASSERT_TRUE(capture->abandon());
  EXPECT_EQ(traces(), before_);
  EXPECT_THAT(ledger_.leftovers(), IsEmpty());
  expect_nothing_lost(128 * kKiB);
  EXPECT_EQ(traces(), before_);
}

TEST_F(Interruption, a_dropped_capture_leaves_everything_to_the_sweep) {
  begin();
  prepare({{"disk0", since_}}).reset();
  EXPECT_NE(traces(), before_);
  daemon_->fill("disk0", 3 * kMiB, 100, 'c');
  ASSERT_TRUE(sweep(source::PointFate::failed));
  EXPECT_EQ(traces(), before_);
  EXPECT_THAT(ledger_.leftovers(), IsEmpty());
  expect_nothing_lost(128 * kKiB);
}

TEST_F(Interruption, a_sweep_after_the_commit_keeps_the_new_change_id) {
  begin();
  auto capture = prepare({{"disk0", since_}});
  record_ = read_all(*capture, 0, record_);
  since_ = capture->disks()[0].change_id;
  capture.reset();
  daemon_->fill("disk0", 3 * kMiB, 100, 'c');
  ASSERT_TRUE(sweep(source::PointFate::committed));
  EXPECT_THAT(bitmaps(), ElementsAre(since_));
  EXPECT_THAT(ledger_.leftovers(), IsEmpty());
  expect_nothing_lost(64 * kKiB);
}

TEST_F(Interruption, a_second_sweep_changes_nothing) {
  begin();
  prepare({{"disk0", since_}}).reset();
  const auto leftovers = ledger_.leftovers();
  ASSERT_TRUE(driver_.sweep(machine(), leftovers, source::PointFate::failed, ledger_));
  ASSERT_TRUE(driver_.sweep(machine(), leftovers, source::PointFate::failed, ledger_));
  EXPECT_EQ(traces(), before_);
}

TEST_F(Interruption, a_source_that_is_down_is_swept_when_it_is_back) {
  begin();
  prepare({{"disk0", since_}}).reset();
  daemon_->end(SIGTERM);
  const auto swept = sweep(source::PointFate::failed);
  ASSERT_FALSE(swept);
  EXPECT_THAT(swept.error().message, HasSubstr("QMP socket"));
  EXPECT_TRUE(std::filesystem::is_empty(scratch())) << "files don't need the source";
  EXPECT_FALSE(ledger_.leftovers().empty());
  daemon_->start();
  ASSERT_TRUE(sweep(source::PointFate::failed));
  EXPECT_EQ(traces(), before_);
  EXPECT_THAT(ledger_.leftovers(), IsEmpty());
  expect_nothing_lost(64 * kKiB);
}

TEST_F(Interruption, a_machine_with_a_new_socket_is_swept_there) {
  begin();
  prepare({{"disk0", since_}}).reset();
  std::vector<Leftover> leftovers = ledger_.leftovers();
  for (Leftover& leftover : leftovers)  // as if recorded when the machine was elsewhere
    for (std::size_t at; (at = leftover.detail.find("/qmp")) != std::string::npos;)
      leftover.detail.replace(at, 4, "/old");
  ASSERT_TRUE(driver_.sweep(machine(), leftovers, source::PointFate::failed, ledger_));
  EXPECT_EQ(traces(), before_);
  EXPECT_THAT(ledger_.leftovers(), IsEmpty());
}

TEST_F(Interruption, a_clean_restart_of_the_source_loses_no_change) {
  begin();
  auto capture = prepare({{"disk0", since_}});
  daemon_->fill("disk0", 3 * kMiB, 100, 'c');
  daemon_->restart(SIGTERM);
  daemon_->fill("disk0", 4 * kMiB, 100, 'd');
  const auto read = capture->open(0).value()->extents(0, kMiB);
  ASSERT_FALSE(read);
  ASSERT_TRUE(capture->abandon());
  EXPECT_EQ(traces(), before_);
  expect_nothing_lost(3 * 64 * kKiB);
}

TEST_F(Interruption, after_a_kill_of_the_source_an_inconsistent_bitmap_makes_a_full) {
  begin();
  daemon_->restart(SIGTERM);  // the bitmap is now stored in the image
  auto capture = prepare({{"disk0", since_}});
  daemon_->restart(SIGKILL);
  ASSERT_TRUE(capture->abandon());
  EXPECT_THAT(ledger_.leftovers(), IsEmpty());

  capture = prepare({{"disk0", since_}});
  EXPECT_EQ(capture->disks()[0].full_reason, FullReason::bitmap_inconsistent);
  EXPECT_EQ(read_all(*capture, 0, {}), daemon_->truth("disk0"));
  ASSERT_TRUE(capture->commit());
  EXPECT_THAT(bitmaps(), ElementsAre(capture->disks()[0].change_id)) << "the inconsistent one is gone";
}

TEST_F(Interruption, after_a_kill_of_the_source_a_missing_bitmap_makes_a_full) {
  begin();
  auto capture = prepare({{"disk0", since_}});
  daemon_->restart(SIGKILL);
  ASSERT_TRUE(capture->abandon());
  EXPECT_THAT(ledger_.leftovers(), IsEmpty());
  capture = prepare({{"disk0", since_}});
  EXPECT_EQ(capture->disks()[0].full_reason, FullReason::bitmap_missing);
  ASSERT_TRUE(capture->commit());
}

TEST_F(Interruption, a_restart_makes_a_raw_disks_next_capture_a_full) {
  begin("raw");
  daemon_->restart(SIGTERM);
  auto capture = prepare({{"disk0", since_}});
  EXPECT_EQ(capture->disks()[0].full_reason, FullReason::bitmap_missing);
  EXPECT_EQ(read_all(*capture, 0, {}), daemon_->truth("disk0"));
  ASSERT_TRUE(capture->commit());
}

TEST_F(Interruption, abandoning_a_full_keeps_the_old_bitmap) {
  begin();
  auto wanted = request(machine());
  wanted.disks[0].supersedes = since_;
  auto capture = driver_.prepare(wanted, ledger_).value();
  daemon_->fill("disk0", 3 * kMiB, 100, 'c');
  ASSERT_TRUE(capture->abandon());
  EXPECT_EQ(traces(), before_);
  expect_nothing_lost(128 * kKiB);

  capture = driver_.prepare(wanted, ledger_).value();
  ASSERT_TRUE(capture->commit());
  EXPECT_THAT(bitmaps(), ElementsAre(capture->disks()[0].change_id));
}

TEST_F(Interruption, a_copying_job_that_was_ended_loses_the_freeze) {
  begin();
  auto capture = prepare({{"disk0", since_}});
  auto reader = capture->open(0).value();
  ASSERT_TRUE(reader->extents(0, kMiB));
  daemon_->tell("job-cancel", {{"id", capture->disks()[0].change_id}});
  Copy copy(Bytes(16 * kMiB));
  const Range range{0, kMiB};
  const auto read = reader->read({&range, 1}, copy.sink(), Cancel{});
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("the freeze was lost"));
  reader.reset();
  ASSERT_TRUE(capture->abandon());
  EXPECT_EQ(traces(), before_);
}

TEST_F(Interruption, a_source_that_hangs_ends_the_capture_at_its_deadline) {
  begin();
  using std::chrono::seconds;
  // A short limit for silence only: all other answers have come by then.
  source::qmp::QmpDriver hasty({.greeting = seconds{3}, .command = seconds{3}},
                               {.connect = seconds{3}, .silence = seconds{1}});
  auto capture = hasty.prepare(request(machine(), {{"disk0", since_}}), ledger_).value();
  auto reader = capture->open(0).value();
  ASSERT_TRUE(reader->extents(0, kMiB));
  daemon_->process().signal(SIGSTOP);
  Copy copy(Bytes(16 * kMiB));
  const Range range{0, kMiB};
  const auto read = reader->read({&range, 1}, copy.sink(), Cancel{});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ETIMEDOUT) << read.error().message;
  EXPECT_THAT(read.error().message, HasSubstr("hangs"));
  EXPECT_FALSE(capture->abandon());
  reader.reset();
  capture.reset();
  daemon_->process().signal(SIGCONT);
  // Connections that were given up still fill the socket's queue, so this one waits for its turn.
  const auto swept = sweep(source::PointFate::failed);
  ASSERT_TRUE(swept) << swept.error().message;
  EXPECT_EQ(traces(), before_);
  expect_nothing_lost(64 * kKiB);
}

TEST_F(Interruption, a_cancel_ends_the_reading_of_a_source_that_hangs) {
  begin();
  auto capture = prepare({{"disk0", since_}});
  auto reader = capture->open(0).value();
  ASSERT_TRUE(reader->extents(0, kMiB));
  daemon_->process().signal(SIGSTOP);
  Cancel cancel;
  std::thread canceller([&] { cancel.request(); });
  Copy copy(Bytes(16 * kMiB));
  const Range range{0, kMiB};
  const auto read = reader->read({&range, 1}, copy.sink(), cancel);
  canceller.join();
  daemon_->process().signal(SIGCONT);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ECANCELED);
  ASSERT_TRUE(capture->abandon());
  EXPECT_EQ(traces(), before_);
}

// A sink waits for a repository, which may hang, while the source's answers are under way.
TEST_F(Interruption, a_sink_that_hangs_holds_up_neither_the_source_nor_its_release) {
  begin();
  daemon_->fill("disk0", 0, 16 * kMiB, 'c');
  before_ = traces();
  auto capture = prepare({{"disk0", since_}});
  auto reader = capture->open(0).value();
  Result<> swept = fail(ENODATA, "the sink got nothing");
  const auto stuck = [&](std::uint64_t, ByteView) {
    daemon_->fill("disk0", 0, kMiB, 'd');
    swept = sweep(source::PointFate::unknown);
    return swept;
  };
  const Range range{0, 16 * kMiB};
  EXPECT_FALSE(reader->read({&range, 1}, stuck, Cancel{}));
  EXPECT_TRUE(swept) << swept.error().message;
  EXPECT_EQ(traces()["exports"], before_["exports"]);
  EXPECT_EQ(traces()["jobs"], before_["jobs"]);
  const auto abandoned = capture->abandon();
  EXPECT_TRUE(abandoned) << abandoned.error().message;
  EXPECT_EQ(traces(), before_);
}

TEST_F(Interruption, a_failing_sink_ends_the_reading_with_its_error) {
  begin();
  auto capture = prepare();
  auto reader = capture->open(0).value();
  int pieces = 0;
  const Range range{0, 2 * kMiB};
  const auto full = [&](std::uint64_t, ByteView) -> Result<> {
    return ++pieces < 3 ? Result<>{} : fail(ENOSPC, "no room");
  };
  const auto read = reader->read({&range, 1}, full, Cancel{});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error(), (Error{ENOSPC, "no room"}));
  EXPECT_EQ(pieces, 3);
  Copy copy(Bytes(16 * kMiB));
  EXPECT_TRUE(reader->read({&range, 1}, copy.sink(), Cancel{})) << "the reader goes on if it is asked to";
  EXPECT_EQ(copy.bytes, daemon_->truth("disk0"));
  ASSERT_TRUE(capture->abandon());
  EXPECT_EQ(traces(), before_);
}

TEST_F(Interruption, a_read_error_of_the_source_names_its_offset_and_leaves_nothing) {
  boot();
  daemon_->tell("blockdev-add",
                {{"driver", "blkdebug"},
                 {"node-name", "bad"},
                 {"image", {{"driver", "null-co"}, {"size", 16 * kMiB}}},
                 {"inject-error", {{{"event", "none"}, {"iotype", "read"}, {"sector", 8192}}}}});
  const Json before = traces();
  auto capture = driver_.prepare(request(machine({"bad"})), ledger_).value();
  auto reader = capture->open(0).value();
  const Range good{0, kMiB}, bad{4 * kMiB, 1000};
  const auto ignore = [](std::uint64_t, ByteView) -> Result<> { return {}; };
  EXPECT_TRUE(reader->read({&good, 1}, ignore, Cancel{}));
  const auto read = reader->read({&bad, 1}, ignore, Cancel{});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, EIO) << read.error().message;
  EXPECT_THAT(read.error().message, HasSubstr("reading 1000 bytes at 4194304"));
  ASSERT_TRUE(capture->abandon());
  EXPECT_EQ(traces(), before);
}

}  // namespace
}  // namespace holdfast::test
