// Tests the QMP driver with a real QEMU, whose guest must never be hurt.
#include "tests/lib/cannot_run.h"
#include "tests/lib/qemu_machine.h"
#include "tests/lib/small_file_system.h"
#include "tests/sources/fixture.h"

namespace holdfast::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Qemu : public ::testing::Test {
 protected:
  void SetUp() override { boot({}); }

  // `device_options`: options of both disks' devices.
  void boot(const std::string& device_options) {
    try {
      qemu_ =
          std::make_unique<QemuMachine>(std::vector<std::string>{"disk0", "disk1"}, kSize, device_options);
    } catch (const std::exception& problem) {
      HF_CANNOT_RUN(problem.what());
    }
    wanted_ = {.repository_marker = "3f2a91c0", .scratch = state_ / "scratch"};
    wanted_.machine.fields = driver_fields({{"socket", qemu_->qmp()}});
    for (const std::string n : {"0", "1"}) wanted_.disks.push_back({a_disk("d" + n, {{"node", "disk" + n}})});
    std::filesystem::create_directory(wanted_.scratch);
  }

  Json tell(const std::string& command, const Json& arguments = Json::object()) {
    return qemu_->tell(command, arguments);
  }
  Json traces() { return qemu_->traces(); }
  void write(std::size_t disk, std::uint64_t offset, std::uint64_t length, std::uint8_t with) {
    qemu_->fill(disk, offset, length, with);
  }
  // Fills the file system until `leave` bytes are free.
  static void fill_up(const SmallFileSystem& full, std::uint64_t leave) {
    const auto room = std::filesystem::space(full.path()).available;
    const std::string file = full.path() + "/filler";
    std::ofstream(file).flush();
    const Fd fd{::open(file.c_str(), O_WRONLY | O_CLOEXEC)};
    ASSERT_EQ(::fallocate(fd.get(), 0, 0, static_cast<off_t>(room - leave)), 0);
  }
  // Commits a full of both disks; returns its content.
  std::vector<Bytes> first_point() {
    write(0, 0, 4 * kMiB, 1);
    write(1, 0, 6 * kMiB, 2);
    std::vector<Bytes> copies(2, Bytes(kSize));
    auto capture = prepare();
    copy_changes(*capture, copies);
    rest_on(*capture);
    EXPECT_TRUE(capture->commit());
    EXPECT_TRUE(copies == qemu_->truths());
    return copies;
  }
  void expect_abandoned_clean(source::Capture& capture, const Json& before) {
    const auto abandoned = capture.abandon();
    ASSERT_TRUE(abandoned) << abandoned.error().message;
    EXPECT_EQ(traces(), before);
    EXPECT_THAT(ledger_.leftovers(), IsEmpty());
  }
  void expect_nothing_lost(std::vector<Bytes> copies) {
    auto capture = prepare();
    EXPECT_EQ(capture->disks()[0].full_reason, std::nullopt);
    EXPECT_EQ(capture->disks()[1].full_reason, std::nullopt);
    copy_changes(*capture, copies);
    EXPECT_TRUE(copies == qemu_->truths());
    const auto abandoned = capture->abandon();
    EXPECT_TRUE(abandoned) << abandoned.error().message;
  }
  std::unique_ptr<Capture> prepare() {
    auto capture = driver_.prepare(wanted_, ledger_);
    if (!capture) throw std::runtime_error(capture.error().message);
    return std::move(*capture);
  }
  void rest_on(const Capture& capture) {
    for (std::size_t i = 0; i < 2; ++i) wanted_.disks[i].since = capture.disks()[i].change_id;
  }
  // Copies the changes of both disks as a repository does.
  void copy_changes(Capture& capture, std::vector<Bytes>& copies) {
    for (std::size_t i = 0; i < 2; ++i) {
      auto reader = capture.open(i).value();
      const std::vector<Extent> extents = reader->extents(0, kSize).value();
      Copy copy(std::move(copies[i]));
      for (const Extent& extent : extents) {
        if (!extent.changed) continue;
        const Range range{extent.offset, extent.length};
        ASSERT_TRUE(reader->read({&range, 1}, copy.sink(), Cancel{}));
      }
      copies[i] = std::move(copy.bytes);
    }
  }

  static constexpr std::uint64_t kSize = 8 * kMiB;
  TemporaryDirectory state_;
  std::unique_ptr<QemuMachine> qemu_;
  source::PrepareRequest wanted_;
  FileLedger ledger_{state_ / "ledger"};
  source::qmp::QmpDriver driver_;
};

TEST_F(Qemu, both_disks_of_a_guest_are_captured_in_increments) {
  write(0, 0, 2 * kMiB, 1);
  write(1, kMiB, kMiB, 2);
  std::vector<Bytes> copies(2, Bytes(kSize));
  for (int round = 0; round < 5; ++round) {
    SCOPED_TRACE(round);
    const std::vector<Bytes> instant = qemu_->truths();
    auto capture = prepare();
    EXPECT_EQ(capture->disks()[0].full_reason.has_value(), round == 0);
    write(0, static_cast<std::uint64_t>(round) * 300'032, 65'536, static_cast<std::uint8_t>(round + 10));
    write(1, static_cast<std::uint64_t>(round) * 200'192, 4'096, static_cast<std::uint8_t>(round + 20));
    std::vector<Bytes> read = copies;
    copy_changes(*capture, read);
    EXPECT_TRUE(read == instant);
    if (round % 2 == 1) {
      const auto abandoned = capture->abandon();
      ASSERT_TRUE(abandoned) << abandoned.error().message;
    } else {
      copies = read;
      rest_on(*capture);
      const auto committed = capture->commit();
      ASSERT_TRUE(committed) << committed.error().message;
    }
    EXPECT_THAT(ledger_.leftovers(), IsEmpty());
    EXPECT_TRUE(tell("query-block-exports").empty());
    EXPECT_TRUE(tell("query-jobs").empty());
    EXPECT_TRUE(std::filesystem::is_empty(state_ / "scratch"));
  }
}

TEST_F(Qemu, a_partly_copied_range_keeps_the_instant) {
  write(0, 0, 2 * kMiB, 1);
  const std::vector<Bytes> instant = qemu_->truths();
  auto capture = prepare();
  for (const std::uint64_t cluster : {0, 1, 5, 9, 10, 30}) write(0, cluster * 64 * kKiB, 64 * kKiB, 2);
  write(0, 20 * 64 * kKiB + 512, 512, 3);
  write(0, 31 * 64 * kKiB, 128 * kKiB, 4);  // half of it was never written before
  std::vector<Bytes> read(2, Bytes(kSize));
  copy_changes(*capture, read);
  EXPECT_TRUE(read == instant);
  ASSERT_TRUE(capture->abandon());
}

// The case of backup_test.cpp.
TEST_F(Qemu, a_disk_made_smaller_and_as_large_again_has_unchanged_zeros) {
  first_point();
  for (const std::uint64_t size : {kMiB, kSize})
    tell("block_resize", {{"node-name", "disk0"}, {"size", size}});
  auto capture = prepare();
  EXPECT_EQ(capture->disks()[0].full_reason, std::nullopt);
  const std::vector<Extent> extents = capture->open(0).value()->extents(0, kSize).value();
  ASSERT_EQ(extents.size(), 2u);
  EXPECT_EQ(extents[1].offset, kMiB);
  EXPECT_TRUE(extents[1].zero);
  EXPECT_FALSE(extents[1].changed);
  ASSERT_TRUE(capture->abandon());
}

// A sink waits for a repository, which may hang, while the source's answers are under way.
TEST_F(Qemu, a_sink_that_hangs_holds_up_neither_the_source_nor_its_release) {
  write(0, 0, kSize, 1);
  const Json before = traces();
  auto capture = prepare();
  auto reader = capture->open(0).value();
  Result<> swept = fail(ENODATA, "the sink got nothing");
  const auto stuck = [&](std::uint64_t, ByteView) {
    swept = driver_.sweep(wanted_.machine, ledger_.leftovers(), source::PointFate::unknown, ledger_);
    return swept;
  };
  const Range range{0, kSize};
  EXPECT_FALSE(reader->read({&range, 1}, stuck, Cancel{}));
  EXPECT_TRUE(swept) << swept.error().message;
  EXPECT_EQ(traces()["devices"], before["devices"]);
  EXPECT_EQ(traces()["exports"], before["exports"]);
  const auto abandoned = capture->abandon();
  EXPECT_TRUE(abandoned) << abandoned.error().message;
  EXPECT_EQ(traces(), before);
}

TEST_F(Qemu, a_disk_whose_iothread_would_abort_qemu_is_refused) {
  boot(",iothread=thread");
  const Json before = traces();
  const auto refused = driver_.prepare(wanted_, ledger_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EOPNOTSUPP);
  EXPECT_THAT(refused.error().message, HasSubstr("block node disk0 may have an iothread"));
  EXPECT_EQ(traces(), before);
}

TEST_F(Qemu, a_filter_breaks_the_snapshot_and_never_the_guests_write) {
  first_point();
  const Json before = traces();
  auto capture = prepare();
  const Json during = traces();
  for (const auto& [device, node] : before["devices"].items()) {
    const std::string top = during["devices"][device];
    EXPECT_TRUE(top.starts_with("hf-3f2a91c0-")) << top;
  }
  EXPECT_TRUE(during["jobs"].empty()) << "no job copies, whose failure would be the guest's";
  ASSERT_TRUE(capture->abandon());
  EXPECT_EQ(traces(), before);
}

TEST_F(Qemu, the_guest_goes_on_writing_when_the_copies_find_no_room) {
  const auto copies = first_point();
  write(0, 5 * kMiB, 4096, 7);  // belongs to the next point
  const Json before = traces();
  const Json status = tell("query-status");
  const std::string scratch = wanted_.scratch;
  const SmallFileSystem small(80 * kMiB);
  wanted_.scratch = small.path();
  auto capture = prepare();
  auto reader = capture->open(0).value();
  const Range range{0, 4 * kMiB};
  Copy copy(Bytes(static_cast<std::size_t>(kSize)));
  ASSERT_TRUE(reader->read({&range, 1}, copy.sink(), Cancel{}));
  fill_up(small, kMiB);
  write(0, 0, 4 * kMiB, 3);  // each write succeeds, or the test ends
  write(1, 0, 6 * kMiB, 4);
  write(1, 100, 200, 5);
  const auto read = reader->read({&range, 1}, copy.sink(), Cancel{});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ENOSPC) << read.error().message;
  EXPECT_THAT(read.error().message, HasSubstr("the scratch area " + small.path() + " has "));
  EXPECT_EQ(tell("query-status"), status);
  for (const Json& block : tell("query-block")) EXPECT_EQ(block["io-status"], "ok");
  reader.reset();
  expect_abandoned_clean(*capture, before);
  wanted_.scratch = scratch;
  expect_nothing_lost(copies);
  EXPECT_EQ(traces(), before);
}

// A run may be stuck in its repository for long, and the catalog lies beside the scratch images.
TEST_F(Qemu, copies_that_would_fill_the_scratch_area_end_while_the_sink_hangs) {
  const auto copies = first_point();
  const Json before = traces();
  const std::string scratch = wanted_.scratch;
  const SmallFileSystem small(80 * kMiB);
  wanted_.scratch = small.path();
  auto capture = prepare();
  auto reader = capture->open(0).value();
  const auto stuck = [&](std::uint64_t, ByteView) -> Result<> {
    fill_up(small, 60 * kMiB);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (traces()["devices"] != before["devices"] && std::chrono::steady_clock::now() < end) continue;
    write(0, 0, 4 * kMiB, 3);
    return {};
  };
  const Range range{0, 64 * kKiB};
  const auto read = reader->read({&range, 1}, stuck, Cancel{});
  EXPECT_EQ(traces()["devices"], before["devices"]) << "the guest has its disks again";
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ENOSPC) << read.error().message;
  EXPECT_THAT(read.error().message, HasSubstr("the scratch area " + small.path() + " has "));
  EXPECT_GE(std::filesystem::space(small.path()).available, 59 * kMiB) << "the catalog has room";
  reader.reset();
  expect_abandoned_clean(*capture, before);
  wanted_.scratch = scratch;
  expect_nothing_lost(copies);
}

TEST_F(Qemu, a_lost_instant_is_never_read_even_when_there_is_room_again) {
  first_point();
  const SmallFileSystem small(80 * kMiB);
  wanted_.scratch = small.path();
  auto capture = prepare();
  fill_up(small, kMiB);
  write(0, 0, 4 * kMiB, 3);
  std::filesystem::remove(small.path() + "/filler");
  auto reader = capture->open(0).value();
  const Range range{0, 4 * kMiB};
  Copy copy(Bytes(static_cast<std::size_t>(kSize)));
  const auto read = reader->read({&range, 1}, copy.sink(), Cancel{});
  ASSERT_FALSE(read);
  // QEMU gives up the instant (EIO), unless the watch has found the lack of room first.
  EXPECT_TRUE(read.error().code == EIO || read.error().code == ENOSPC) << read.error().message;
  reader.reset();
  ASSERT_TRUE(capture->abandon());
}

// QEMU 7.2 hangs for good, and its guest with it, if it stops a server in the middle of a negotiation.
TEST_F(Qemu, clients_that_connect_while_the_source_is_released_hang_nobody) {
  for (int round = 0; round < 20; ++round) {
    SCOPED_TRACE(round);
    auto capture = prepare();
    auto reader = capture->open(0).value();
    ASSERT_TRUE(reader->extents(0, kMiB));
    std::atomic<bool> is_released = false;
    std::thread connecting([&] {
      // The first loses its export; those that follow connect anew, and find no export or no server.
      while (!is_released) (void)reader->extents(0, kMiB);
    });
    const auto abandoned = capture->abandon();
    is_released = true;
    connecting.join();
    ASSERT_TRUE(abandoned) << abandoned.error().message;
  }
}

TEST_F(Qemu, a_device_taken_out_of_its_filter_loses_the_freeze) {
  const auto copies = first_point();
  const Json before = traces();
  auto capture = prepare();
  auto reader = capture->open(0).value();
  ASSERT_TRUE(reader->extents(0, kMiB));
  tell("blockdev-add", {{"driver", "null-co"}, {"node-name", "other"}});
  tell("qom-set", {{"path", qemu_->device(0)}, {"property", "drive"}, {"value", "other"}});
  const auto extents = reader->extents(0, kMiB);
  ASSERT_FALSE(extents);
  EXPECT_THAT(extents.error().message, HasSubstr("the freeze was lost"));
  reader.reset();
  ASSERT_TRUE(capture->abandon());
  EXPECT_THAT(ledger_.leftovers(), IsEmpty());
}

TEST_F(Qemu, a_sigkill_at_any_step_is_swept_clean_and_loses_no_change) {
  auto copies = first_point();
  const Json before = traces();
  bool died = true;
  for (int step = 0; died; ++step) {
    SCOPED_TRACE(step);
    const pid_t child = ::fork();
    if (child == 0) {
      DyingLedger dying(ledger_, step);
      auto capture = driver_.prepare(wanted_, dying);
      ::_exit(capture && (*capture)->abandon() ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    died = WIFSIGNALED(status);
    ASSERT_TRUE(died || WEXITSTATUS(status) == 0);
    const auto released =
        driver_.sweep(wanted_.machine, ledger_.leftovers(), source::PointFate::unknown, ledger_);
    ASSERT_TRUE(released) << released.error().message;
    EXPECT_THAT(ledger_.leftovers(), testing::Each(testing::Field(&Leftover::kind, LeftoverKind::bitmap)));
    write(0, static_cast<std::uint64_t>(step) * 65'536, 4096, static_cast<std::uint8_t>(step + 10));
    write(1, static_cast<std::uint64_t>(step) * 65'536, 512, static_cast<std::uint8_t>(step + 90));
    const auto swept =
        driver_.sweep(wanted_.machine, ledger_.leftovers(), source::PointFate::failed, ledger_);
    ASSERT_TRUE(swept) << swept.error().message;
    EXPECT_THAT(ledger_.leftovers(), IsEmpty());
    ASSERT_EQ(traces(), before);
  }
  expect_nothing_lost(copies);
}

}  // namespace
}  // namespace holdfast::test
