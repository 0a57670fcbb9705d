// Power is lost at a random operation, and what was not synced is lost at random: a file that passes for an
// image holds all that it should.
#include <gtest/gtest.h>

#include "tests/image/fixture.h"
#include "tests/lib/power_loss.h"

namespace holdfast::image::test {
namespace {

using holdfast::test::Journal;
using holdfast::test::MemoryDirectory;
using holdfast::test::RecordingDirectory;

constexpr const char* kImage = "disk.qcow2";
constexpr const char* kSums = "disk.sums";

// One image's writing, remembered.
struct Recorded {
  Journal journal;
  Bytes disk;

  Recorded(Random& random, bool forgets_syncs) {
    constexpr std::uint32_t kClusters[] = {512, 4096, 65536};
    constexpr Codec kCodecs[] = {Codec::zstd, Codec::deflate, Codec::none};
    const std::uint32_t cluster = random.pick<std::uint32_t>(kClusters);
    disk.resize(random.between(1, 2 * kMiB));
    const auto patches = random_patches(random, disk, cluster, 10);
    RecordingDirectory directory(journal, forgets_syncs);
    const auto image = must(directory.create(kImage));
    const auto sums = must(directory.create(kSums));
    must(directory.sync("."));
    write_image(*image, *sums, random, options(disk.size(), cluster, random.pick<Codec>(kCodecs)), disk,
                patches);
  }
};

enum class Verdict { no_image, right, wrong };

Verdict judge(const MemoryDirectory& left, Sums sums, const Bytes& disk) {
  if (!must(left.exists(kImage)) || !must(left.exists(kSums))) return Verdict::no_image;
  std::vector<LayerFiles> layers(1);
  layers[0].image = must(left.open(kImage, Access::read));
  if (sums == Sums::with) layers[0].sums = must(left.open(kSums, Access::read));
  const auto stack = Stack::open(std::move(layers));
  if (!stack) return Verdict::no_image;
  Bytes found(disk.size());
  return (*stack)->size() == disk.size() && (*stack)->read(0, found) && found == disk ? Verdict::right
                                                                                      : Verdict::wrong;
}

struct Tally {
  std::size_t no_image = 0, right = 0, wrong = 0;
};

Tally crash(std::size_t points, bool forgets_syncs) {
  Random random;
  Tally tally;
  for (std::size_t point = 0; point < points;) {
    const Recorded recorded(random, forgets_syncs);
    const std::size_t operations = recorded.journal.operations().size();
    for (int i = 0; i < 20 && point < points; ++i, ++point) {
      // The last operations are where it is decided.
      const std::size_t at =
          operations - random.below(random.one_in(2) ? std::min<std::size_t>(12, operations) : operations);
      constexpr unsigned kPercent[] = {0, 50, 90, 100};
      const MemoryDirectory left(
          recorded.journal.after_power_loss(at, random.pick<unsigned>(kPercent), random));
      for (const Sums sums : {Sums::with, Sums::without}) {
        switch (judge(left, sums, recorded.disk)) {
          case Verdict::no_image: ++tally.no_image; break;
          case Verdict::right: ++tally.right; break;
          case Verdict::wrong: ++tally.wrong; break;
        }
      }
    }
  }
  return tally;
}

TEST(PowerLoss, never_leaves_a_wrong_image) {
  const std::size_t points = tries(100, 500);
  const Tally tally = crash(points, false);
  EXPECT_EQ(tally.wrong, 0u);
  EXPECT_GT(tally.no_image, points / 10);
  EXPECT_GT(tally.right, points / 50);
}

TEST(PowerLoss, on_a_disk_that_forgets_to_sync_is_seen_to_leave_wrong_images) {
  EXPECT_GT(crash(100, true).wrong, 0u);
}

TEST(PowerLoss, after_the_last_operation_leaves_the_whole_image) {
  Random random;
  const Recorded recorded(random, false);
  const MemoryDirectory left(
      recorded.journal.after_power_loss(recorded.journal.operations().size(), 0, random));
  EXPECT_EQ(judge(left, Sums::with, recorded.disk), Verdict::right);
  EXPECT_EQ(judge(left, Sums::without, recorded.disk), Verdict::right);
}

}  // namespace
}  // namespace holdfast::image::test
