// Tests the driver with NBD servers that misbehave.
#include "engine/sources/nbd/driver.h"

#include <gmock/gmock.h>

#include "tests/sources/fixture.h"
#include "tests/sources/peers.h"

namespace holdfast::test {
namespace {

using ::testing::HasSubstr;

class NbdServers : public ::testing::Test {
 protected:
  void serve(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"nbdkit", "--foreground", "--unix", socket_});
    server_ = Process(arguments);
    while (!source::nbd::answers(socket_, {}).value())
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  Result<std::unique_ptr<Capture>> prepare() { return prepare_by(driver_); }
  Result<std::unique_ptr<Capture>> prepare_by(source::nbd::NbdDriver& driver) {
    source::PrepareRequest request;
    request.disks.push_back({a_disk("d", {{"uri", "nbd+unix:///?socket=" + socket_}})});
    return driver.prepare(request, ledger_);
  }
  static Result<> ignore(std::uint64_t, ByteView) { return {}; }

  TemporaryDirectory directory_;
  std::string socket_ = directory_ / "nbd";
  Process server_;
  FileLedger ledger_{directory_ / "ledger"};
  source::nbd::NbdDriver driver_;
};

TEST_F(NbdServers, a_server_that_hangs_before_its_greeting_ends_at_the_deadline) {
  serve({"memory", "1M"});
  server_.signal(SIGSTOP);
  source::nbd::NbdDriver hasty({.connect = std::chrono::milliseconds{300}});
  const auto capture = prepare_by(hasty);
  ASSERT_FALSE(capture);
  EXPECT_EQ(capture.error().code, ETIMEDOUT);
  EXPECT_THAT(capture.error().message, HasSubstr("does not answer"));
}

TEST_F(NbdServers, a_server_that_hangs_during_a_read_ends_at_the_deadline) {
  serve({"memory", "1M"});
  source::nbd::NbdDriver hasty({.silence = std::chrono::milliseconds{300}});
  auto capture = prepare_by(hasty).value();
  auto reader = capture->open(0).value();
  server_.signal(SIGSTOP);
  const Range all{0, kMiB};
  const auto read = reader->read({&all, 1}, ignore, Cancel{});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ETIMEDOUT);
  EXPECT_THAT(read.error().message, HasSubstr("it hangs"));
}

TEST_F(NbdServers, a_server_that_the_daemon_may_not_open_is_named) {
  serve({"memory", "1M"});
  ASSERT_EQ(::seteuid(65534), 0);
  const auto capture = prepare();
  ASSERT_EQ(::seteuid(0), 0);
  ASSERT_FALSE(capture);
  EXPECT_EQ(capture.error().code, EACCES) << capture.error().message;
  EXPECT_THAT(capture.error().message, HasSubstr(socket_));
  EXPECT_THAT(capture.error().message, HasSubstr("Permission denied"));
  EXPECT_TRUE(ledger_.leftovers().empty());
}

TEST_F(NbdServers, a_file_truncated_beneath_a_server_is_an_error_if_the_server_reports_it) {
  const std::string disk = directory_ / "disk";
  std::ofstream(disk) << std::string(kMiB, 'a');
  serve({"--no-sr", "file", "file=" + disk});
  auto capture = prepare().value();
  auto reader = capture->open(0).value();
  std::filesystem::resize_file(disk, kMiB / 2);
  const Range all{0, kMiB};
  const auto read = reader->read({&all, 1}, ignore, Cancel{});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, EIO) << read.error().message;
}

// qemu-nbd without --persistent ends with its client.
TEST_F(NbdServers, a_server_of_a_single_client_serves_a_capture) {
  const std::string disk = directory_ / "disk";
  std::ofstream(disk) << std::string(kMiB, 'a');
  server_ = Process({"qemu-nbd", "--read-only", "--format=raw", "--socket", socket_, disk});
  Result<std::unique_ptr<Capture>> capture = fail(ENOENT, "");
  while (!(capture = prepare()) && (capture.error().code == ENOENT || capture.error().code == ECONNREFUSED))
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  ASSERT_TRUE(capture) << capture.error().message;
  auto reader = (*capture)->open(0).value();
  const Range all{0, kMiB};
  std::uint64_t moved = 0;
  const auto count = [&](std::uint64_t, ByteView data) -> Result<> {
    moved += data.size();
    return {};
  };
  ASSERT_TRUE(reader->extents(0, kMiB));
  const auto read = reader->read({&all, 1}, count, Cancel{});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(moved, kMiB);
}

}  // namespace
}  // namespace holdfast::test
