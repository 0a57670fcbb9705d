// Tests reading from NBD servers with fewer abilities than QEMU.
#include "engine/sources/nbd/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "tests/lib/process.h"
#include "tests/lib/temporary_directory.h"

namespace holdfast::test {
namespace {

using source::Cancel;
using source::Extent;
using source::Range;
using source::nbd::Export;
using source::nbd::Limits;
using source::nbd::Reader;
using ::testing::HasSubstr;

class NbdReader : public ::testing::Test {
 protected:
  // Starts nbdkit with these arguments; returns when it listens.
  void serve(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"nbdkit", "--foreground", "--unix", socket_});
    server_ = Process(arguments);
    while (!source::nbd::answers(socket_, {}).value())
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  Reader reader(std::uint64_t size, const std::string& bitmap = "", const Limits& limits = {}) {
    return Reader(Export{.socket = socket_, .name = "", .bitmap = bitmap, .size = size}, limits);
  }
  static Result<> ignore(std::uint64_t, ByteView) { return {}; }

  TemporaryDirectory directory_;
  std::string socket_ = directory_ / "nbd";
  Process server_;
};

TEST_F(NbdReader, a_disk_of_many_tebibytes_is_covered_in_steps) {
  serve({"memory", "size=9T"});
  auto disk = reader(9 * kTiB);
  const auto extents = disk.extents(kTiB, 5 * kGiB + 123).value();
  ASSERT_EQ(extents.size(), 1u);
  EXPECT_EQ(extents[0].offset, kTiB);
  EXPECT_EQ(extents[0].length, 5 * kGiB + 123);
  EXPECT_TRUE(extents[0].zero);
  EXPECT_TRUE(extents[0].changed);
}

TEST_F(NbdReader, many_small_ranges_are_all_read) {
  serve({"pattern", "size=64M"});
  auto disk = reader(64 * kMiB);
  std::vector<Range> ranges;
  std::uint64_t expected = 0;
  for (std::uint64_t offset = 8; offset + 400'000 < 64 * kMiB; offset += 1'000'008) {
    ranges.push_back({offset, 399'992});
    expected += 399'992;
  }
  std::uint64_t seen = 0;
  const auto check = [&](std::uint64_t offset, ByteView data) -> Result<> {
    for (std::size_t i = 0; i < data.size(); i += 8)  // each eight bytes hold their own offset
      EXPECT_EQ(load_be<std::uint64_t>(data.data() + i), offset + i);
    seen += data.size();
    return {};
  };
  ASSERT_TRUE(disk.read(ranges, check, Cancel{}));
  EXPECT_EQ(seen, expected);
}

// Counts the connections to a server with these arguments.
class Connections : public NbdReader {
 protected:
  std::size_t of_reading(std::uint64_t bytes, const std::string& filter, const std::string& setting) {
    const std::string log = directory_ / "log";
    serve({"--filter=log", "--filter=" + filter, "pattern", "size=64M", "logfile=" + log, setting});
    std::uint64_t seen = 0;
    {
      auto disk = reader(64 * kMiB);
      const Range range{0, bytes};
      const auto count = [&](std::uint64_t offset, ByteView data) -> Result<> {
        EXPECT_EQ(load_be<std::uint64_t>(data.data()), offset);
        seen += data.size();
        return {};
      };
      const auto done = disk.read({&range, 1}, count, Cancel{});
      EXPECT_TRUE(done) << done.error().message;
    }
    EXPECT_EQ(seen, bytes);
    std::size_t connections = 0;
    std::ifstream lines(log);
    for (std::string line; std::getline(lines, line);)
      connections += line.find(" Connect export") != std::string::npos;
    return connections;
  }
};

TEST_F(Connections, a_large_read_uses_several_connections) {
  EXPECT_EQ(of_reading(48 * kMiB, "limit", "limit=9"), 4u);
}

TEST_F(Connections, a_small_read_uses_one_connection) { EXPECT_EQ(of_reading(kMiB, "limit", "limit=9"), 1u); }

TEST_F(Connections, a_server_without_multi_conn_gets_one_connection) {
  EXPECT_EQ(of_reading(48 * kMiB, "multi-conn", "multi-conn-mode=disable"), 1u);
}

TEST_F(Connections, refused_connections_are_done_without) {
  EXPECT_EQ(of_reading(48 * kMiB, "limit", "limit=2"), 2u);
}

TEST_F(NbdReader, ranges_outside_the_disk_are_refused) {
  serve({"pattern", "size=1M"});
  auto disk = reader(kMiB);
  const Range outside{kMiB - 10, 11};
  const auto read = disk.read({&outside, 1}, ignore, Cancel{});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, EINVAL);
  EXPECT_FALSE(disk.extents(~std::uint64_t{0} - 5, 10));
}

TEST_F(NbdReader, another_size_than_expected_is_an_error) {
  serve({"memory", "size=1M"});
  const auto extents = reader(2 * kMiB).extents(0, kMiB);
  ASSERT_FALSE(extents);
  EXPECT_THAT(extents.error().message, HasSubstr("has 1048576 bytes, but the disk has 2097152"));
}

TEST_F(NbdReader, an_ungranted_bitmap_is_an_error_and_not_no_changes) {
  serve({"memory", "size=1M"});
  const auto extents = reader(kMiB, "hf-3f2a91c0-1").extents(0, kMiB);
  ASSERT_FALSE(extents);
  EXPECT_THAT(extents.error().message, HasSubstr("does not offer qemu:dirty-bitmap:hf-3f2a91c0-1"));
}

TEST_F(NbdReader, without_block_status_everything_is_data) {
  serve({"--no-sr", "memory", "size=1M"});
  const auto extents = reader(kMiB).extents(0, kMiB).value();
  ASSERT_EQ(extents.size(), 1u);
  EXPECT_FALSE(extents[0].zero);
  EXPECT_EQ(extents[0].length, kMiB);
}

TEST_F(NbdReader, a_read_error_names_its_offset) {
  serve({"--filter=error", "memory", "size=1M", "error-pread=EIO", "error-pread-rate=100%"});
  auto disk = reader(kMiB);
  const Range range{0, 1000};
  const auto read = disk.read({&range, 1}, ignore, Cancel{});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, EIO);
  EXPECT_THAT(read.error().message, HasSubstr("reading 1000 bytes at 0"));
}

TEST_F(NbdReader, a_server_that_dies_is_an_error_until_it_is_back) {
  serve({"memory", "size=1M"});
  auto disk = reader(kMiB);
  const Range range{0, kMiB};
  ASSERT_TRUE(disk.read({&range, 1}, ignore, Cancel{}));
  server_.end(SIGKILL);
  EXPECT_FALSE(disk.read({&range, 1}, ignore, Cancel{}));
  EXPECT_FALSE(disk.read({&range, 1}, ignore, Cancel{}));
  std::filesystem::remove(socket_);
  serve({"memory", "size=1M"});
  const auto read = disk.read({&range, 1}, ignore, Cancel{});
  EXPECT_TRUE(read) << read.error().message;
}

TEST_F(NbdReader, a_server_that_never_greets_ends_at_the_deadline) {
  serve({"memory", "size=1M"});
  server_.signal(SIGSTOP);
  const auto extents = reader(kMiB, "", {.connect = std::chrono::milliseconds{200}}).extents(0, kMiB);
  ASSERT_FALSE(extents);
  EXPECT_EQ(extents.error().code, ETIMEDOUT);
}

TEST_F(NbdReader, a_slow_sink_does_not_count_as_a_silent_server) {
  serve({"memory", "size=8M"});
  auto disk = reader(8 * kMiB, "", {.silence = std::chrono::seconds{1}});
  const Range range{0, 2 * kMiB};
  int pieces = 0;
  const auto slow = [&](std::uint64_t, ByteView) -> Result<> {
    if (++pieces == 2)
      std::this_thread::sleep_for(std::chrono::milliseconds{1500});  // longer than the silence limit
    return {};
  };
  EXPECT_TRUE(disk.read({&range, 1}, slow, Cancel{}));
  EXPECT_EQ(pieces, 8);
}

TEST_F(NbdReader, a_cancel_ends_the_reading_at_the_next_request) {
  serve({"memory", "size=64M"});
  auto disk = reader(64 * kMiB);
  Cancel cancel;
  int pieces = 0;
  const auto cancelling = [&](std::uint64_t, ByteView) -> Result<> {
    if (++pieces == 5) cancel.request();
    return {};
  };
  const Range range{0, 64 * kMiB};
  const auto read = disk.read({&range, 1}, cancelling, cancel);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ECANCELED);
  EXPECT_EQ(pieces, 5);
}

TEST_F(NbdReader, a_socket_without_a_listener_is_an_error_at_once) {
  EXPECT_FALSE(reader(kMiB).extents(0, kMiB));
  EXPECT_FALSE(source::nbd::answers(socket_, {}).value());
}

}  // namespace
}  // namespace holdfast::test
