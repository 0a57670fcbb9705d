// The same driver against a real QEMU, whose disks have threads of their own.
#include "tests/lib/cannot_run.h"
#include "tests/sources/fixture.h"

namespace holdfast::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A machine that is never started: its monitor writes to its disks, through the guest's device.
class Qemu : public ::testing::Test {
 protected:
  void SetUp() override {
    if (Process::run({"qemu-system-x86_64", "-version"}) != 0)
      HF_CANNOT_RUN("qemu-system-x86_64 is not installed");
    std::vector<std::string> command{"qemu-system-x86_64", "-accel", "tcg", "-machine", "q35", "-nodefaults",
                                     "-display",           "none",   "-m",  "64",       "-S"};
    for (const char* monitor : {"qmp", "control"})
      command.insert(command.end(), {"-qmp", "unix:" + (state_ / monitor) + ",server=on,wait=off"});
    for (const std::string n : {"0", "1"}) {
      const std::string file = state_ / ("disk" + n);
      ASSERT_EQ(Process::run({"qemu-img", "create", "-q", "-f", "qcow2", file, std::to_string(kSize)}), 0);
      command.insert(command.end(),
                     {"-object", "iothread,id=thread" + n, "-blockdev",
                      "driver=qcow2,node-name=disk" + n + ",file.driver=file,file.filename=" + file,
                      "-device", "virtio-blk-pci,id=vd" + n + ",drive=disk" + n + ",iothread=thread" + n});
    }
    qemu_ = Process(command);
    Result<std::unique_ptr<source::qmp::Client>> control = fail(ENOENT, "not yet");
    for (int tries = 0; !control && tries < 4000; ++tries) {
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
      control = source::qmp::Client::connect(state_ / "control", {});
    }
    ASSERT_TRUE(control) << control.error().message;
    control_ = std::move(*control);
    std::filesystem::create_directory(state_ / "scratch");
    wanted_.machine.socket = state_ / "qmp";
    wanted_.repository_marker = "3f2a91c0";
    wanted_.scratch = state_ / "scratch";
    for (const std::string n : {"0", "1"}) {
      wanted_.disks.push_back({.name = "d" + n, .node = "disk" + n});
      truth_.emplace_back(kSize);
    }
  }

  void write(std::size_t disk, std::uint64_t offset, std::uint64_t length, std::uint8_t with) {
    const std::string line =
        fmt::format("qemu-io -d /machine/peripheral/vd{}/virtio-backend \"write -P {} {} {}\"", disk, with,
                    offset, length);
    const Json said = control_->execute("human-monitor-command", {{"command-line", line}}).value();
    ASSERT_EQ(said, "");
    std::fill_n(truth_[disk].begin() + static_cast<std::ptrdiff_t>(offset), length, std::byte{with});
  }
  std::unique_ptr<Capture> prepare() {
    auto capture = driver_.prepare(wanted_, ledger_);
    if (!capture) throw std::runtime_error(capture.error().message);
    return std::move(*capture);
  }
  void rest_on(const Capture& capture) {
    for (std::size_t i = 0; i < 2; ++i) wanted_.disks[i].since = capture.disks()[i].change_id;
  }
  // What a repository would do with the changes of both disks.
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
  Process qemu_;
  std::unique_ptr<source::qmp::Client> control_;
  source::PrepareRequest wanted_;
  std::vector<Bytes> truth_;
  FileLedger ledger_{state_ / "ledger"};
  source::qmp::QmpDriver driver_;
};

TEST_F(Qemu, IsBackedUpInIncrementsOfBothDisks) {
  write(0, 0, 2 * kMiB, 1);
  write(1, kMiB, kMiB, 2);
  std::vector<Bytes> copies(2, Bytes(kSize));
  for (int round = 0; round < 5; ++round) {
    SCOPED_TRACE(round);
    const std::vector<Bytes> instant = truth_;
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
    EXPECT_TRUE(control_->execute("query-block-exports").value().empty());
    EXPECT_TRUE(control_->execute("query-jobs").value().empty());
    EXPECT_TRUE(std::filesystem::is_empty(state_ / "scratch"));
  }
}

}  // namespace
}  // namespace holdfast::test
