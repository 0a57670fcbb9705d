// Tests sequential readers of compressed data.
#include "engine/image/read_ahead.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/image/fixture.h"

namespace holdfast::image::test {
namespace {

TEST(SequentialReads, a_first_read_is_not_sequential) {
  SequentialReads reads;
  EXPECT_FALSE(reads.note(0, 65536));
}

TEST(SequentialReads, a_sequential_reader_gets_each_following_stretch_once) {
  SequentialReads reads;
  reads.note(0, 65536);
  std::uint64_t unpacked = 131072;  // the end of the second read
  for (std::uint64_t at = 65536; at < 64 * kMiB; at += 65536) {
    const auto stretch = reads.note(at, 65536);
    EXPECT_TRUE(stretch || at != 65536);
    if (stretch) {
      EXPECT_EQ(stretch->offset, unpacked);
      unpacked = stretch->offset + stretch->length;
    }
    EXPECT_GT(unpacked, at + 65536);
  }
}

TEST(SequentialReads, a_reader_that_overtakes_the_unpacking_has_passed_it) {
  SequentialReads reads;
  EXPECT_FALSE(reads.is_passed(0));
  reads.note(0, 65536);
  reads.note(65536, 65536);
  EXPECT_TRUE(reads.is_passed(65536)) << "it is being read";
  EXPECT_FALSE(reads.is_passed(131072));
  reads.note(131072, 65536);
  EXPECT_TRUE(reads.is_passed(131072));
  EXPECT_FALSE(reads.is_passed(10 * kGiB)) << "another's";
}

TEST(SequentialReads, several_readers_and_reordered_requests_are_told_apart_from_random_reads) {
  SequentialReads reads;
  for (const std::uint64_t place : {0 * kGiB, 1 * kGiB, 2 * kGiB}) reads.note(place, 131072);
  for (const std::uint64_t place : {0 * kGiB, 1 * kGiB, 2 * kGiB}) {
    EXPECT_TRUE(reads.note(place + 262144, 131072)) << "overtook the one before it";
    EXPECT_FALSE(reads.note(place + 131072, 131072));
  }
  EXPECT_FALSE(reads.note(10 * kGiB, 4096));
  EXPECT_FALSE(reads.note(7 * kGiB, 4096));
}

TEST(ReadAhead, several_readers_with_pieces_of_any_size_get_the_same_bytes) {
  Random random;
  Scratch scratch;
  Bytes disk(12 * kMiB + 512);
  fill(random, disk, Content::text);
  write_image(scratch, "a.qcow2", random, options(disk.size(), 65536), disk, all_of(disk));
  const auto stack = open_stack(scratch, {"a.qcow2"});
  std::vector<std::jthread> readers;
  for (const std::uint64_t piece : {std::uint64_t{5000}, 64 * kKiB, kMiB})
    readers.emplace_back([&, piece] {
      Bytes found(disk.size());
      for (std::uint64_t at = 0; at < found.size(); at += piece)
        EXPECT_TRUE(stack->read(at, ByteSpan{found}.subspan(at, std::min(piece, found.size() - at))));
      EXPECT_EQ(first_difference(found, disk), std::nullopt);
    });
}

TEST(ReadAhead, a_stack_may_be_closed_while_tasks_wait) {
  Random random;
  Scratch scratch;
  Bytes disk(8 * kMiB);
  fill(random, disk, Content::text);
  write_image(scratch, "a.qcow2", random, options(disk.size(), 65536), disk, all_of(disk));
  for (int i = 0; i < 20; ++i) {
    const auto stack = open_stack(scratch, {"a.qcow2"});
    Bytes piece(65536);
    for (std::uint64_t at = 0; at < 4 * piece.size(); at += piece.size()) must(stack->read(at, piece));
  }
}

TEST(ReadAhead, a_damaged_cluster_is_an_error_only_for_its_reader) {
  Random random;
  Scratch scratch;
  Bytes disk(8 * kMiB);
  fill(random, disk, Content::text);
  write_image(scratch, "a.qcow2", random, options(disk.size(), 65536), disk, all_of(disk));
  Bytes image = scratch.read("a.qcow2");
  const std::uint64_t last_data = image.size() - 5 * 65536;  // L2, L1 and refcounts follow
  image[last_data] ^= std::byte{1};
  scratch.write("a.qcow2", image);
  const auto stack = open_stack(scratch, {"a.qcow2"});
  std::uint64_t read = 0, failed = 0;
  Bytes piece(65536);
  for (std::uint64_t at = 0; at < disk.size(); at += piece.size()) ++(stack->read(at, piece) ? read : failed);
  EXPECT_GT(read, 64u);
  EXPECT_GT(failed, 0u);
}

}  // namespace
}  // namespace holdfast::image::test
