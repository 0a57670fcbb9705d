// Tests that every kind of accepted image holds the content that QEMU reads in it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/foreign/fixture.h"

namespace holdfast::foreign::test {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kDisk = 5 * kMiB + 3 * 512;

struct Made {
  const char* name;
  const char* format;
  const char* command;  // makes a.img from truth.raw
};
class Image : public testing::TestWithParam<Made> {};
INSTANTIATE_TEST_SUITE_P(
    Of, Image,
    testing::Values(
        Made{"version_1", "qcow", "qemu-img convert -f raw -O qcow truth.raw a.img"},
        Made{"version_1_compressed", "qcow", kMakeCompressedVersion1},
        Made{"version_1_overwritten", "qcow",
             "qemu-img convert -f raw -O qcow truth.raw a.img && "
             "qemu-io -f qcow -c 'write -P 7 1000448 70000' -c 'write -P 0 2M 12k' a.img"},
        Made{"version_1_with_nothing", "qcow", "qemu-img create -q -f qcow a.img 40M"},
        Made{"version_2", "qcow2", "qemu-img convert -f raw -O qcow2 -o compat=0.10 truth.raw a.img"},
        Made{"version_2_deflate", "qcow2",
             "qemu-img convert -c -f raw -O qcow2 -o compat=0.10 truth.raw a.img"},
        Made{"version_3", "qcow2", "qemu-img convert -f raw -O qcow2 truth.raw a.img"},
        Made{"version_3_deflate", "qcow2", "qemu-img convert -c -f raw -O qcow2 truth.raw a.img"},
        Made{"version_3_zstd", "qcow2",
             "qemu-img convert -c -f raw -O qcow2 -o compression_type=zstd truth.raw a.img"},
        Made{"version_3_of_512", "qcow2",
             "qemu-img convert -f raw -O qcow2 -o cluster_size=512 truth.raw a.img"},
        Made{"version_3_of_2m", "qcow2",
             "qemu-img convert -f raw -O qcow2 -o cluster_size=2M truth.raw a.img"},
        Made{"version_3_preallocated", "qcow2",
             "qemu-img convert -f raw -O qcow2 -o preallocation=metadata truth.raw a.img"},
        Made{"version_3_with_zero_flags", "qcow2",
             "qemu-img convert -f raw -O qcow2 truth.raw a.img && "
             "qemu-io -f qcow2 -c 'write -z 0 1M' -c 'write -zu 2M 512k' a.img"},
        Made{"version_3_with_snapshots", "qcow2",
             "qemu-img convert -f raw -O qcow2 truth.raw a.img && qemu-img snapshot -c before a.img && "
             "qemu-io -f qcow2 -c 'write -P 9 1M 1M' a.img"}),
    [](const auto& made) { return std::string{made.param.name}; });

TEST_P(Image, a_foreign_image_reads_as_in_qemu) {
  Random random;
  Scratch scratch;
  make_truth(scratch, random, kDisk);
  sh(scratch, GetParam().command);
  const auto image = open(scratch, "a.img");
  EXPECT_EQ(difference(*image, as_qemu_reads(scratch, "a.img", GetParam().format), random), "");
  must(image->check_unchanged());
}

struct Layout {
  std::uint32_t cluster_bits, table_bits;
};
class Version1 : public testing::TestWithParam<Layout> {};
INSTANTIATE_TEST_SUITE_P(Of, Version1,
                         testing::Values(Layout{9, 6}, Layout{10, 7}, Layout{12, 6}, Layout{12, 9},
                                         Layout{13, 10}, Layout{15, 12}, Layout{16, 6}, Layout{16, 11}),
                         [](const auto& layout) {
                           return fmt::format("clusters_2_{}_tables_2_{}", layout.param.cluster_bits,
                                              layout.param.table_bits);
                         });

TEST_P(Version1, plain_and_compressed_version_1_images_read_as_in_qemu) {
  Random random;
  Scratch scratch;
  const Bytes disk = make_truth(scratch, random, kDisk);
  for (const bool compressed : {false, true}) {
    scratch.write("a.img", qcow1_image(disk, {GetParam().cluster_bits, GetParam().table_bits, compressed}));
    ASSERT_EQ(image::test::first_difference(as_qemu_reads(scratch, "a.img", "qcow"), disk), std::nullopt);
    EXPECT_EQ(difference(*open(scratch, "a.img"), disk, random), "");
  }
}

// A compressed image has both kinds of clusters in one table after QEMU has written to it.
TEST(ForeignImages, a_compressed_version_1_image_with_later_writes_reads_as_in_qemu) {
  Random random;
  Scratch scratch;
  make_truth(scratch, random, kDisk);
  sh(scratch, kMakeCompressedVersion1);
  sh(scratch, "qemu-io -f qcow -c 'write -P 7 1000448 70000' -c 'write -P 0 2M 12k' a.img");
  EXPECT_EQ(difference(*open(scratch, "a.img"), as_qemu_reads(scratch, "a.img", "qcow"), random), "");
}

TEST(Comparison, the_comparison_finds_one_flipped_bit) {
  Random random;
  Scratch scratch;
  Bytes disk = make_truth(scratch, random, kDisk);
  sh(scratch, kMakeCompressedVersion1);
  disk[random.below(disk.size())] ^= std::byte{1};
  EXPECT_THAT(difference(*open(scratch, "a.img"), disk, random), HasSubstr("differs at"));
}

TEST(Extents, extents_of_version_1_agree_with_qemu_img_map) {
  Random random;
  Scratch scratch;
  make_truth(scratch, random, kDisk);
  sh(scratch,
     "qemu-img create -q -f qcow a.img 40M && "
     "qemu-io -f qcow -c 'write 100k 50k' -c 'write 3M 20k' -c 'write 39M 1M' a.img");
  const auto image = open(scratch, "a.img");
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ours, theirs;
  for (std::uint64_t at = 0; at < image->size();) {
    const auto extent = must(image->extent(at, image->size()));
    if (extent.data) ours.emplace_back(at, extent.length);
    at += extent.length;
  }
  for (const auto& extent : nlohmann::json::parse(sh(scratch, "qemu-img map --output=json -f qcow a.img"))) {
    if (!extent["data"]) continue;
    const std::uint64_t start = extent["start"], length = extent["length"];
    if (!theirs.empty() && theirs.back().first + theirs.back().second == start)
      theirs.back().second += length;
    else
      theirs.emplace_back(start, length);
  }
  EXPECT_EQ(ours, theirs);
  EXPECT_EQ(ours.size(), 3u);
}

TEST(Facts, facts_are_the_options_that_the_image_was_made_with) {
  Scratch scratch;
  sh(scratch,
     "qemu-img create -q -f qcow a.img 3M && "
     "qemu-img create -q -f qcow2 -o cluster_size=4k,compression_type=zstd b.img 5M && "
     "qemu-img snapshot -c s b.img");
  const auto a = open(scratch, "a.img"), b = open(scratch, "b.img");
  EXPECT_EQ(a->facts().version, 1u);
  EXPECT_EQ(a->facts().virtual_size, 3 * kMiB);
  EXPECT_EQ(a->facts().cluster_size, 4096u);
  EXPECT_EQ(b->facts().version, 3u);
  EXPECT_EQ(b->facts().virtual_size, 5 * kMiB);
  EXPECT_EQ(b->facts().cluster_size, 4096u);
  EXPECT_EQ(b->facts().compression, "zstd");
  EXPECT_EQ(b->facts().snapshots, 1u);
}

TEST(ForeignImages, an_image_of_holdfast_has_its_exact_size) {
  Random random;
  Scratch scratch;
  Bytes disk(kMiB + 7);
  random.fill(disk);
  image::test::write_image(scratch, "a.img", random, image::test::options(disk.size(), 65536), disk,
                           image::test::all_of(disk));
  EXPECT_EQ(difference(*open(scratch, "a.img"), disk, random), "");
}

TEST(ForeignImages, the_largest_version_1_image_is_read_at_its_end) {
  Scratch scratch;
  sh(scratch, "qemu-img create -q -f qcow a.img 8T && qemu-io -f qcow -c 'write -P 5 8388607M 512k' a.img");
  const auto image = open(scratch, "a.img");
  EXPECT_EQ(image->size(), 8 * kTiB);
  EXPECT_EQ(image->stored(), 512 * kKiB);
  Bytes expected(kMiB), found(kMiB);
  std::fill_n(expected.begin(), 512 * kKiB, std::byte{5});
  must(image->read(8 * kTiB - kMiB, found));
  EXPECT_EQ(found, expected);
}

TEST(ForeignImages, a_read_beyond_the_end_is_refused) {
  Scratch scratch;
  sh(scratch, "qemu-img create -q -f qcow a.img 1M");
  const auto image = open(scratch, "a.img");
  Bytes into(1024);
  EXPECT_EQ(error_of(image->read(kMiB - 512, into)).code, EINVAL);
  EXPECT_EQ(error_of(image->extent(kMiB, 1)).code, EINVAL);
}

}  // namespace
}  // namespace holdfast::foreign::test
