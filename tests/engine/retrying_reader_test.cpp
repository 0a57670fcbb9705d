// Tests of connections that drop, between a real reader and a real server.
#include "engine/capture/retrying_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>

#include "engine/sources/nbd/reader.h"
#include "tests/lib/dropping_proxy.h"
#include "tests/lib/process.h"
#include "tests/lib/temporary_directory.h"

namespace holdfast::capture {
namespace {

using source::Cancel;
using source::Range;
using test::DroppingProxy;
using test::Process;
using test::TemporaryDirectory;

constexpr std::uint64_t kSize = 24 * kMiB;  // small enough for one connection
constexpr Retries kQuick{.most = 4, .first_pause = std::chrono::milliseconds{1}};

class Dropped : public testing::Test {
 protected:
  void SetUp() override {
    // A qemu-nbd serves the disk, because nbdkit dies of clients that vanish.
    Bytes content(kSize);
    for (std::uint64_t i = 0; i < kSize; i += 8) store_be<std::uint64_t>(content.data() + i, i);
    std::ofstream(file_, std::ios::binary).write(reinterpret_cast<const char*>(content.data()), kSize);
    server_ = Process({"qemu-nbd", "--persistent", "--read-only", "--format=raw", "--shared=8",
                       "--socket=" + server_socket_, file_});
    while (!source::nbd::answers(server_socket_, {}).value())
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  RetryingReader reader() {
    const source::nbd::Export disk{.socket = proxy_socket_, .name = "", .bitmap = "", .size = kSize};
    return {std::make_unique<source::nbd::Reader>(disk, source::nbd::Limits{}), kQuick};
  }
  // Reads the whole disk; expects each piece once, with the right bytes.
  Result<> read_all(RetryingReader& disk, const Cancel& cancel = {}) {
    const Range all{0, kSize};
    return disk.read(
        {&all, 1},
        [&](std::uint64_t offset, ByteView data) -> Result<> {
          EXPECT_TRUE(seen_.insert(offset).second) << offset << " came twice";
          for (std::size_t i = 0; i < data.size(); i += 8)  // each eight bytes hold their own offset
            if (load_be<std::uint64_t>(data.data() + i) != offset + i)
              return fail(EILSEQ, "wrong bytes at {}", offset);
          bytes_ += data.size();
          return {};
        },
        cancel);
  }

  TemporaryDirectory directory_;
  std::string file_ = directory_ / "disk";
  std::string server_socket_ = directory_ / "server", proxy_socket_ = directory_ / "proxy";
  Process server_;
  std::set<std::uint64_t> seen_;
  std::uint64_t bytes_ = 0;
};

TEST_F(Dropped, a_read_continues_where_it_was_and_delivers_each_piece_once) {
  DroppingProxy proxy(proxy_socket_, server_socket_, 3, 5'000'000);
  auto disk = reader();
  const auto done = read_all(disk);
  ASSERT_TRUE(done) << done.error().code << " " << done.error().message;
  EXPECT_EQ(bytes_, kSize);
  EXPECT_EQ(proxy.connections(), 4);
}

// Delivers pieces smaller than 256 KiB. No driver does so, but each may.
class SmallPieces final : public source::DiskReader {
 public:
  Result<std::vector<source::Extent>> extents(std::uint64_t, std::uint64_t) override { return {}; }
  Result<> read(std::span<const Range> ranges, const Sink& sink, const Cancel&) override {
    int left = 3;  // pieces until the connection drops
    for (const Range& range : ranges)
      for (std::uint64_t done = 0; done < range.length; done += kLength) {
        if (left-- == 0) return fail(ECONNRESET, "dropped");
        HF_CHECK(sink(range.offset + done, Bytes(std::min(kLength, range.length - done))));
      }
    return {};
  }

 private:
  static constexpr std::uint64_t kLength = 10'000;
};

TEST(SmallerPieces, all_pieces_are_read_although_connections_drop) {
  RetryingReader disk(std::make_unique<SmallPieces>(), kQuick);
  std::map<std::uint64_t, std::uint64_t> seen;
  const Range ranges[] = {{0, 300'000}, {400'000, 25'000}};
  ASSERT_TRUE(disk.read(
      ranges,
      [&](std::uint64_t offset, ByteView data) -> Result<> {
        EXPECT_TRUE(seen.emplace(offset, data.size()).second) << offset << " came twice";
        return {};
      },
      Cancel{}));
  std::uint64_t bytes = 0;
  for (const auto& [offset, length] : seen) bytes += length;
  EXPECT_EQ(bytes, 325'000u);
}

TEST_F(Dropped, a_read_gives_up_after_tries_without_a_byte) {
  DroppingProxy proxy(proxy_socket_, server_socket_, 1000, 0);
  auto disk = reader();
  const auto done = read_all(disk);
  ASSERT_FALSE(done);
  EXPECT_EQ(bytes_, 0u);
  EXPECT_EQ(proxy.connections(), 1 + kQuick.most) << done.error().code << " " << done.error().message;
}

TEST_F(Dropped, a_delivered_piece_resets_the_count_of_tries) {
  DroppingProxy proxy(proxy_socket_, server_socket_, 2 * kQuick.most, 3'000'000);
  auto disk = reader();
  const auto done = read_all(disk);
  ASSERT_TRUE(done) << done.error().code << " " << done.error().message;
  EXPECT_EQ(bytes_, kSize);
}

TEST_F(Dropped, a_query_of_extents_is_retried) {
  DroppingProxy proxy(proxy_socket_, server_socket_, 2, 10);
  auto disk = reader();
  const auto extents = disk.extents(0, kSize);
  EXPECT_TRUE(extents) << extents.error().code << " " << extents.error().message;
}

TEST_F(Dropped, an_error_of_the_sink_is_not_retried) {
  DroppingProxy proxy(proxy_socket_, server_socket_, 0, 0);
  auto disk = reader();
  const Range all{0, kSize};
  const auto done = disk.read(
      {&all, 1}, [](std::uint64_t, ByteView) -> Result<> { return fail(EPIPE, "no"); }, Cancel{});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "no");
  EXPECT_EQ(proxy.connections(), 1);
}

TEST_F(Dropped, a_cancel_ends_the_pause_before_a_retry) {
  DroppingProxy proxy(proxy_socket_, server_socket_, 1000, 100);
  const source::nbd::Export export_{.socket = proxy_socket_, .name = "", .bitmap = "", .size = kSize};
  RetryingReader disk(std::make_unique<source::nbd::Reader>(export_, source::nbd::Limits{}),
                      {.most = 1, .first_pause = std::chrono::hours{1}});
  Cancel cancel;
  std::thread canceller([&] {
    while (proxy.connections() == 0) std::this_thread::sleep_for(std::chrono::milliseconds{1});
    cancel.request();
  });
  const auto done = read_all(disk, cancel);
  canceller.join();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ECANCELED);
}

}  // namespace
}  // namespace holdfast::capture
