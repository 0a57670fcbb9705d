// Tests images of every cluster size, and of small and large disks; QEMU is the judge.
#include <gtest/gtest.h>

#include "catalog/base/sha256.h"
#include "engine/image/writer.h"
#include "tests/image/fixture.h"

namespace holdfast::image::test {
namespace {

// Checks that QEMU, our reader and the record agree about an image of this disk.
void expect_identical(Random& random, const WriterOptions& options, const Bytes& disk,
                      const std::vector<Patch>& patches) {
  SCOPED_TRACE(fmt::format("clusters of {}, codec {}, {} bytes", options.cluster_size,
                           static_cast<int>(options.codec), disk.size()));
  Scratch scratch;
  const WriterSummary summary = write_image(scratch, "a.qcow2", random, options, disk, patches);
  EXPECT_EQ(qemu_difference(scratch, "a.qcow2", disk), "");
  EXPECT_EQ(difference(*open_stack(scratch, {"a.qcow2"}), disk, random), "");
  EXPECT_EQ(difference(*open_stack(scratch, {"a.qcow2"}, Sums::without), disk, random), "");
  EXPECT_TRUE(verify_layer(*scratch.open("a.qcow2"), *scratch.open("a.qcow2.sums")));
  EXPECT_EQ(summary.file_bytes, scratch.read("a.qcow2").size());
  EXPECT_EQ(summary.sums_sha256, sha256_hex(scratch.read("a.qcow2.sums")));
}

class EveryClusterSize : public testing::TestWithParam<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Of, EveryClusterSize, testing::Range(9u, 22u),
                         [](const auto& bits) { return fmt::format("{}bytes", 1u << bits.param); });

TEST_P(EveryClusterSize, random_disks_of_odd_sizes_are_identical_for_qemu) {
  Random random;
  const std::uint32_t cluster = 1u << GetParam();
  for (const Codec codec : codecs_to_try(random)) {
    Bytes disk(random.between(1, 40) * cluster + random.below(cluster));
    const auto patches = random_patches(random, disk, cluster, 20);
    expect_identical(random, options(disk.size(), cluster, codec), disk, patches);
  }
}

TEST_P(EveryClusterSize, a_disk_without_a_byte_is_identical_for_qemu) {
  Random random;
  for (const Codec codec : codecs_to_try(random))
    expect_identical(random, options(0, 1u << GetParam(), codec), {}, {});
}

TEST_P(EveryClusterSize, a_disk_of_one_byte_is_identical_for_qemu) {
  Random random;
  const Bytes disk{std::byte{0x5a}};
  for (const Codec codec : codecs_to_try(random))
    expect_identical(random, options(1, 1u << GetParam(), codec), disk, all_of(disk));
}

TEST_P(EveryClusterSize, a_disk_full_of_data_is_identical_for_qemu) {
  Random random;
  const std::uint32_t cluster = 1u << GetParam();
  for (const Codec codec : codecs_to_try(random)) {
    Bytes disk(20 * cluster);
    for (std::uint64_t at = 0; at < disk.size(); at += cluster)
      fill(random, ByteSpan{disk}.subspan(at, cluster), random.one_in(2) ? Content::random : Content::text);
    expect_identical(random, options(disk.size(), cluster, codec), disk, all_of(disk));
  }
}

TEST_P(EveryClusterSize, a_disk_of_zeros_holds_no_data) {
  Random random;
  const std::uint32_t cluster = 1u << GetParam();
  const Bytes disk(10 * cluster + 512);
  for (const Codec codec : codecs_to_try(random)) {
    Scratch scratch;
    const auto summary =
        write_image(scratch, "a.qcow2", random, options(disk.size(), cluster, codec), disk, all_of(disk));
    EXPECT_EQ(summary.data_bytes, 0u);
    EXPECT_EQ(summary.zero_bytes, 0u);
    EXPECT_EQ(qemu_difference(scratch, "a.qcow2", disk), "");
  }
}

// Writes several segments, and compares them sparsely.
void expect_large_identical(std::uint64_t size, std::uint32_t cluster, Codec codec, std::size_t patches) {
  Random random;
  Scratch scratch;
  SparseDisk disk(scratch, size);
  disk.scatter(random, cluster, patches, 2 * kMiB / cluster);
  const auto image = scratch.create("a.qcow2");
  const auto sums = scratch.create("a.qcow2.sums");
  const auto writer = must(Writer::create(*image, *sums, options(size, cluster, codec)));
  disk.write_to(*writer);
  must(writer->finish());
  EXPECT_EQ(disk.qemu_difference("a.qcow2"), "");
  EXPECT_EQ(disk.difference(*open_stack(scratch, {"a.qcow2"})), "");
}

// QEMU opens no such disk with smaller clusters. Comparing every cluster size takes it minutes.
std::vector<std::uint32_t> huge_disks_clusters() {
  if (tries(0, 1) == 0) return {16};
  return {14, 15, 16, 17, 18, 19, 20, 21};
}
class EveryClusterSizeOfHugeDisks : public testing::TestWithParam<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Of, EveryClusterSizeOfHugeDisks, testing::ValuesIn(huge_disks_clusters()),
                         [](const auto& bits) { return fmt::format("{}bytes", 1u << bits.param); });

TEST_P(EveryClusterSizeOfHugeDisks, a_disk_of_63_tib_is_identical_for_qemu) {
  for (const Codec codec : std::span{kCodecs}.first(tries(1, 3)))
    expect_large_identical(63 * kTiB, 1u << GetParam(), codec, 20);
}

TEST(LargeDisks, many_segments_and_refcount_blocks_are_identical_for_qemu) {
  // A refcount block counts 8 MiB, an L2 table spans 2 MiB.
  expect_large_identical(2 * Writer::kSegment + 4096 + 17, 4096, Codec::none, 40);
}

TEST(LargeDisks, l2_tables_that_span_many_segments_are_identical_for_qemu) {
  expect_large_identical(19 * kGiB + 512, 256 * kKiB, Codec::zstd, 60);
}

}  // namespace
}  // namespace holdfast::image::test
