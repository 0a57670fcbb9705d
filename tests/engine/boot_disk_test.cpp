// Disks of a boot check (laws 13 and 19): the guest reads verified data, writes beside the disk, and reaches
// nothing beyond its end. libnbd, another implementation of NBD, is the client.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libnbd.h>
#include <unistd.h>

#include <semaphore>

#include "engine/boot/nbd_export.h"
#include "tests/lib/must.h"
#include "tests/lib/random.h"
#include "tests/lib/temporary_directory.h"

namespace holdfast::boot {
namespace {

using test::must;

constexpr std::uint64_t kBlock = Scratch::kBlock;
constexpr std::uint64_t kSize = 5 * kBlock + 512;

class BootDisk : public testing::Test {
 protected:
  BootDisk() : content(kSize) {
    for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<std::byte>(i * 7 + i / 251);
  }
  ~BootDisk() override {
    if (client != nullptr) nbd_close(client);
  }

  void serve(std::uint64_t most = kGiB) {
    scratch = must(Scratch::open(directory.path(), most, 0));
    const auto read = [this](std::uint64_t offset, ByteSpan into) -> Result<> {
      if (held) go_on.acquire();
      if (broken) return fail_damaged(EIO, "a cluster fails its checksum");
      copy_bytes(ByteView{content}.subspan(offset, into.size()), into);
      return {};
    };
    disk = std::make_unique<GuestDisk>(read, kSize, *scratch);
    exported = must(NbdExport::start(*disk, meter));
    client = nbd_create();
    ASSERT_EQ(nbd_connect_socket(client, dup(exported->client().get())), 0) << nbd_get_error();
    exported->give_client_away();
  }
  Bytes read(std::uint64_t offset, std::size_t length) {
    Bytes bytes(length);
    EXPECT_EQ(nbd_pread(client, bytes.data(), length, offset, 0), 0) << nbd_get_error();
    return bytes;
  }

  test::TemporaryDirectory directory;
  Bytes content;  // stays as it is
  std::atomic<bool> broken = false, held = false;
  std::binary_semaphore go_on{0};  // a read that is held waits for it
  std::unique_ptr<Scratch> scratch;
  ProgressMeter meter;
  std::unique_ptr<GuestDisk> disk;
  std::unique_ptr<NbdExport> exported;
  nbd_handle* client = nullptr;
};

TEST_F(BootDisk, writes_are_read_back_and_leave_the_disk_as_it_is) {
  serve();
  const Bytes before = content;
  Bytes expected = content;
  ASSERT_EQ(nbd_get_size(client), static_cast<std::int64_t>(kSize));
  test::Random random;
  for (int i = 0; i < 300; ++i) {
    const std::uint64_t offset = random.below(kSize);
    const std::size_t length = random.between(1, std::min<std::uint64_t>(kSize - offset, 2 * kBlock + 100));
    if (i % 2 == 0) {
      const Bytes bytes(length, static_cast<std::byte>(random.next()));
      ASSERT_EQ(nbd_pwrite(client, bytes.data(), length, offset, 0), 0) << nbd_get_error();
      std::ranges::copy(bytes, expected.begin() + static_cast<std::ptrdiff_t>(offset));
    }
    const Bytes wanted(expected.begin() + static_cast<std::ptrdiff_t>(offset),
                       expected.begin() + static_cast<std::ptrdiff_t>(offset + length));
    ASSERT_EQ(read(offset, length), wanted) << i;
  }
  EXPECT_EQ(nbd_flush(client, 0), 0);
  EXPECT_EQ(read(0, kSize), expected);
  EXPECT_EQ(content, before);
  EXPECT_FALSE(exported->failure());
}

TEST_F(BootDisk, a_damaged_cluster_is_an_error_for_the_guest_and_is_told) {
  serve();
  broken = true;
  Bytes bytes(512);
  EXPECT_EQ(nbd_pread(client, bytes.data(), bytes.size(), 0, 0), -1);
  EXPECT_EQ(nbd_get_errno(), EIO);
  ASSERT_TRUE(exported->failure());
  EXPECT_TRUE(exported->failure()->damage);
  broken = false;
  EXPECT_EQ(read(0, 512), Bytes(content.begin(), content.begin() + 512));
}

TEST_F(BootDisk, a_read_without_an_answer_is_known_while_it_lasts) {
  serve();
  EXPECT_EQ(exported->busy_for(), std::chrono::steady_clock::duration{});
  held = true;
  Bytes bytes(512);
  const std::int64_t asked = nbd_aio_pread(client, bytes.data(), bytes.size(), 0, NBD_NULL_COMPLETION, 0);
  ASSERT_GT(asked, 0) << nbd_get_error();
  while (exported->busy_for() == std::chrono::steady_clock::duration{}) std::this_thread::yield();
  const auto busy = exported->busy_for();
  EXPECT_GT(busy, std::chrono::steady_clock::duration{});
  EXPECT_GE(exported->busy_for(), busy);
  held = false;
  go_on.release();
  while (nbd_aio_command_completed(client, static_cast<std::uint64_t>(asked)) == 0)
    ASSERT_EQ(nbd_poll(client, -1), 1) << nbd_get_error();
  EXPECT_EQ(exported->busy_for(), std::chrono::steady_clock::duration{});
}

TEST_F(BootDisk, a_guest_that_writes_more_than_its_room_gets_enospc) {
  serve(2 * kBlock);
  const Bytes bytes(kBlock, std::byte{1});
  EXPECT_EQ(nbd_pwrite(client, bytes.data(), kBlock, 0, 0), 0);
  EXPECT_EQ(nbd_pwrite(client, bytes.data(), kBlock, kBlock, 0), 0);
  EXPECT_EQ(nbd_pwrite(client, bytes.data(), kBlock, 2 * kBlock, 0), -1);
  EXPECT_EQ(nbd_get_errno(), ENOSPC);
  EXPECT_EQ(nbd_pwrite(client, bytes.data(), kBlock, 0, 0), 0);  // a block that it has
}

TEST_F(BootDisk, requests_beyond_the_end_are_refused) {
  serve();
  nbd_set_strict_mode(client, 0);
  Bytes bytes(1024);
  EXPECT_EQ(nbd_pread(client, bytes.data(), bytes.size(), kSize - 512, 0), -1);
  EXPECT_EQ(nbd_get_errno(), EINVAL);
  EXPECT_EQ(nbd_pwrite(client, bytes.data(), bytes.size(), kSize - 512, 0), -1);
  EXPECT_EQ(nbd_get_errno(), EINVAL);
  EXPECT_EQ(read(kSize - 512, 512).size(), 512u);
}

TEST_F(BootDisk, a_client_that_does_not_speak_nbd_is_hung_up_on) {
  scratch = must(Scratch::open(directory.path(), kGiB, 0));
  disk = std::make_unique<GuestDisk>([](auto, auto) -> Result<> { return {}; }, kSize, *scratch);
  exported = must(NbdExport::start(*disk, meter));
  const Bytes noise(100, std::byte{0x55});
  ASSERT_EQ(::write(exported->client().get(), noise.data(), noise.size()), 100);
  std::byte greeting[18];
  ASSERT_EQ(::read(exported->client().get(), greeting, sizeof greeting), 18);
  exported.reset();  // returns, because its thread has ended
}

}  // namespace
}  // namespace holdfast::boot
