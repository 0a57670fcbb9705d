// Tests that one flipped bit anywhere in an image or its sums is found, and never read (law 13), and that a
// failed read is not taken for damage (law 21).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/image/fixture.h"
#include "tests/lib/memory_file.h"
#include "tests/lib/unreadable_file.h"

namespace holdfast::image::test {
namespace {

using holdfast::test::MemoryFile;
using holdfast::test::UnreadableFile;
using testing::HasSubstr;

struct Stored {
  Bytes image, sums;
};

Stored store(Random& random, const WriterOptions& options, const Bytes& disk,
             const std::vector<Patch>& patches) {
  MemoryFile image("disk.qcow2");
  MemoryFile sums("disk.sums");
  write_image(image, sums, random, options, disk, patches);
  return {image.bytes(), sums.bytes()};
}

Result<std::shared_ptr<Stack>> open(const Stored& stored) {
  std::vector<LayerFiles> layers;
  layers.push_back({std::make_unique<MemoryFile>("disk.qcow2", stored.image),
                    std::make_unique<MemoryFile>("disk.sums", stored.sums)});
  return Stack::open(std::move(layers));
}

Result<> verify(const Stored& stored) {
  return verify_layer(MemoryFile("disk.qcow2", stored.image), MemoryFile("disk.sums", stored.sums));
}

// Reads everything in pieces of `piece`. Each read must give the disk's content, or EIO. Returns the number
// of failures.
std::size_t failed_reads(const Stored& stored, const Bytes& disk, std::size_t piece) {
  const auto stack = open(stored);
  if (!stack) {
    EXPECT_EQ(stack.error().code, EIO) << stack.error().message;
    EXPECT_TRUE(stack.error().damage) << stack.error().message;
    return 1;
  }
  std::size_t failed = 0;
  for (std::uint64_t at = 0; at < disk.size(); at += piece) {
    Bytes into(std::min<std::uint64_t>(piece, disk.size() - at));
    const auto outcome = (*stack)->read(at, into);
    if (outcome) {
      EXPECT_EQ(first_difference(into, ByteView{disk}.subspan(at, into.size())), std::nullopt);
    } else {
      EXPECT_EQ(outcome.error().code, EIO) << outcome.error().message;
      EXPECT_TRUE(outcome.error().damage) << outcome.error().message;
      ++failed;
    }
  }
  return failed;
}

void flip_one_bit(Random& random, Stored& stored) {
  Bytes& file = random.one_in(3) ? stored.sums : stored.image;
  file[random.below(file.size())] ^= static_cast<std::byte>(1u << random.below(8));
}

Stored random_image(Random& random, Bytes& disk) {
  constexpr std::uint32_t kClusters[] = {512, 4096, 65536};
  const std::uint32_t cluster = random.pick<std::uint32_t>(kClusters);
  disk.assign(random.between(1, 2 * kMiB), std::byte{0});
  const auto patches = random_patches(random, disk, cluster, 15);
  return store(random, options(disk.size(), cluster, random.pick<Codec>(kCodecs)), disk, patches);
}

TEST(OneFlippedBit, one_flipped_bit_is_found_by_verify_and_never_read) {
  Random random;
  for (std::size_t i = 0; i < tries(100, 500); ++i) {
    Bytes disk;
    Stored stored = random_image(random, disk);
    flip_one_bit(random, stored);
    const auto verdict = verify(stored);
    ASSERT_FALSE(verdict) << "try " << i;
    EXPECT_EQ(verdict.error().code, EIO) << verdict.error().message;
    EXPECT_TRUE(verdict.error().damage) << verdict.error().message;
    failed_reads(stored, disk, random.between(1, 200'000) + (random.one_in(2) ? kMiB : 0));
  }
}

// Negative control: without checks the reads above do return the flipped bit.
TEST(OneFlippedBit, one_flipped_bit_is_read_if_nothing_is_checked) {
  Random random;
  std::size_t seen = 0;
  for (int i = 0; i < 200 && seen == 0; ++i) {
    Bytes disk;
    Stored stored = random_image(random, disk);
    stored.image[random.below(stored.image.size())] ^= std::byte{1};
    std::vector<LayerFiles> layers;
    layers.push_back({std::make_unique<MemoryFile>("disk.qcow2", stored.image), nullptr});
    const auto stack = Stack::open(std::move(layers));
    Bytes found(disk.size());
    seen += stack && (*stack)->size() == disk.size() && (*stack)->read(0, found) && found != disk;
  }
  EXPECT_GT(seen, 0u);
}

TEST(NoFlippedBit, a_sound_image_passes_every_check) {
  Random random;
  for (int i = 0; i < 20; ++i) {
    Bytes disk;
    const Stored stored = random_image(random, disk);
    EXPECT_TRUE(verify(stored));
    EXPECT_EQ(failed_reads(stored, disk, random.between(1000, 200'000)), 0u);
  }
}

// A disk of one plain cluster, in the image's second host cluster.
class OnePlainCluster : public testing::Test {
 protected:
  OnePlainCluster() : disk_(65536) {
    random_.fill(disk_);
    stored_ = store(random_, options(disk_.size(), 65536), disk_, all_of(disk_));
  }

  Random random_;
  Bytes disk_;
  Stored stored_;
};

TEST_F(OnePlainCluster, a_flipped_cluster_fails_every_read_with_file_and_offset) {
  stored_.image[65536 + 40'000] ^= std::byte{4};
  EXPECT_EQ(failed_reads(stored_, disk_, 4096), 16u);
  EXPECT_EQ(failed_reads(stored_, disk_, 65536), 1u);
  Bytes into(512);
  const Error error = error_of(must(open(stored_))->read(0, into));
  EXPECT_THAT(error.message, HasSubstr("disk.qcow2: the 65536 bytes at 65536 are not what was written"));
  EXPECT_EQ(error_of(verify(stored_)), error);
}

TEST_F(OnePlainCluster, a_flipped_sum_fails_every_read_of_its_cluster) {
  stored_.sums[64 + 16 + 3] ^= std::byte{4};
  EXPECT_EQ(failed_reads(stored_, disk_, 4096), 16u);
}

TEST_F(OnePlainCluster, a_cluster_is_not_read_through_a_flipped_table) {
  for (std::size_t at = 2 * 65536; at < stored_.image.size(); at += 65536) {
    Stored flipped = stored_;
    flipped.image[at] ^= std::byte{1};
    EXPECT_FALSE(verify(flipped));
    failed_reads(flipped, disk_, 4096);
  }
}

TEST_F(OnePlainCluster, a_shortened_or_grown_image_is_found) {
  for (const int change : {-65536, -1, 1, 65536}) {
    Stored changed = stored_;
    changed.image.resize(changed.image.size() + static_cast<std::size_t>(change));
    EXPECT_EQ(error_of(verify(changed)).code, EIO);
    EXPECT_EQ(error_of(open(changed)).code, EIO);
    changed = stored_;
    changed.sums.resize(changed.sums.size() + static_cast<std::size_t>(change % 65535));
    EXPECT_EQ(error_of(verify(changed)).code, EIO);
    EXPECT_EQ(error_of(open(changed)).code, EIO);
  }
}

TEST_F(OnePlainCluster, an_image_with_the_sums_of_another_is_refused) {
  Random random;
  const Stored other = store(random, options(disk_.size(), 65536), disk_, all_of(disk_));
  EXPECT_EQ(error_of(verify({stored_.image, other.sums})).code, EIO);
  EXPECT_EQ(error_of(open({stored_.image, other.sums})).code, EIO);
}

TEST_F(OnePlainCluster, a_failed_read_is_reported_with_its_errno_and_is_no_damage) {
  const auto file = [](const char* name, const Bytes& bytes, std::uint64_t from, int code) {
    return std::make_unique<UnreadableFile>(std::make_unique<MemoryFile>(name, bytes), from, code);
  };
  Bytes into(disk_.size());
  for (const int code : {EIO, ENOMEM, EACCES, ESTALE})
    for (int i = 0; i < 20; ++i) {
      const std::uint64_t image_from = random_.below(stored_.image.size());
      const std::uint64_t sums_from =
          random_.one_in(2) ? stored_.sums.size() : random_.below(stored_.sums.size());
      const auto verdict = verify_layer(*file("disk.qcow2", stored_.image, image_from, code),
                                        *file("disk.sums", stored_.sums, sums_from, code));
      EXPECT_EQ(error_of(verdict).code, code);
      EXPECT_FALSE(error_of(verdict).damage) << error_of(verdict).message;
      std::vector<LayerFiles> layers;
      layers.push_back({file("disk.qcow2", stored_.image, image_from, code),
                        file("disk.sums", stored_.sums, sums_from, code)});
      const auto stack = Stack::open(std::move(layers));
      const Result<> read = stack ? (*stack)->read(0, into) : Result<>(tl::make_unexpected(stack.error()));
      if (read) continue;  // tables behind the disk's clusters were not needed
      EXPECT_EQ(read.error().code, code);
      EXPECT_FALSE(read.error().damage) << read.error().message;
    }
}

}  // namespace
}  // namespace holdfast::image::test
