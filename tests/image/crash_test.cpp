// Tests a loss of power at a random operation, which loses unsynced writes at random. A file that passes for
// an image holds everything that it should (law 2).
#include <gtest/gtest.h>

#include "engine/image/host_ranges.h"
#include "engine/image/merge.h"
#include "tests/image/fixture.h"
#include "tests/lib/power_loss.h"

namespace holdfast::image::test {
namespace {

using holdfast::test::Journal;
using holdfast::test::MemoryDirectory;
using holdfast::test::RecordingDirectory;

constexpr const char* kImage = "disk.qcow2";
constexpr const char* kSums = "disk.sums";

WriterOptions random_options(Random& random, std::uint64_t size) {
  constexpr std::uint32_t kClusters[] = {512, 4096, 65536};
  return options(size, random.pick<std::uint32_t>(kClusters), random.pick<Codec>(kCodecs));
}

// Returns the layers, newest first, each with its sums.
std::vector<LayerFiles> layers_in(const Directory& directory, const std::vector<std::string>& names) {
  std::vector<LayerFiles> layers;
  for (const std::string& name : names)
    layers.push_back(
        {must(directory.open(name, Access::read)), must(directory.open(name + ".sums", Access::read))});
  return layers;
}

// Writes a full and an increment of the same shape.
void write_two_layers(Directory& directory, Random& random, Bytes& disk) {
  WriterOptions layer = random_options(random, disk.size());
  for (const std::string name : {"full", "inc"}) {
    layer.id = new_image_id();
    if (name == "inc") layer.backing_file = "full";
    const auto patches = random_patches(random, disk, layer.cluster_size, 20);
    write_image(*must(directory.create(name)), *must(directory.create(name + ".sums")), random, layer, disk,
                patches);
  }
}

// The recorded operations of making one image, by the writer or by a merge.
struct Recorded {
  Journal journal;
  Bytes disk;

  Recorded(Random& random, bool forgets_syncs) {
    disk.resize(random.between(1, 2 * kMiB));
    RecordingDirectory directory(journal, forgets_syncs);
    const auto image = must(directory.create(kImage));
    const auto sums = must(directory.create(kSums));
    must(directory.sync("."));
    if (random.one_in(2)) {
      const WriterOptions shape = random_options(random, disk.size());
      const auto patches = random_patches(random, disk, shape.cluster_size, 10);
      write_image(*image, *sums, random, shape, disk, patches);
    } else {
      MemoryDirectory layers;
      write_two_layers(layers, random, disk);
      must(merge_layers(layers_in(layers, {"inc", "full"}), *image, *sums, {"", new_image_id()}));
    }
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
  const bool right =
      (*stack)->size() == disk.size() && (*stack)->read(0, found) && !first_difference(found, disk);
  return right ? Verdict::right : Verdict::wrong;
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
      // Prefers the last operations, which decide whether the file is an image.
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

TEST(PowerLoss, a_power_loss_never_leaves_a_wrong_image) {
  const std::size_t points = tries(100, 500);
  const Tally tally = crash(points, false);
  EXPECT_EQ(tally.wrong, 0u);
  EXPECT_GT(tally.no_image, points / 10);
  EXPECT_GT(tally.right, points / 50);
}

TEST(PowerLoss, a_disk_that_ignores_syncs_leaves_wrong_images) {
  std::size_t wrong = 0;
  for (int i = 0; i < 50 && wrong == 0; ++i) wrong = crash(40, true).wrong;
  EXPECT_GT(wrong, 0u);
}

// Punches the hidden clusters of a full below an increment, with a loss of power at any moment, then repeats
// it.
TEST(PowerLoss, a_power_loss_while_punching_leaves_the_kept_point_whole) {
  Random random;
  for (std::size_t point = 0; point < tries(30, 500);) {
    Journal journal;
    RecordingDirectory directory(journal);
    Bytes disk(random.between(kMiB, 2 * kMiB));
    write_two_layers(directory, random, disk);
    must(directory.sync("."));
    const auto stack_in = [](const Directory& place) {
      return must(Stack::open(layers_in(place, {"inc", "full"})));
    };
    const LayerUse use{stack_in(directory), 1};
    const auto hidden = must(hidden_data(std::span{&use, 1}));
    const std::size_t before = journal.operations().size();
    must(punch(*must(directory.open("full", Access::write)), hidden));
    for (int i = 0; i < 10; ++i, ++point) {
      const std::size_t at = random.between(before, journal.operations().size());
      MemoryDirectory left(journal.after_power_loss(at, 50, random));
      EXPECT_EQ(difference(*stack_in(left), disk, random), "");
      const auto full = must(left.open("full", Access::write));
      const auto sums = must(left.open("full.sums", Access::read));
      EXPECT_TRUE(verify_punched_layer(*full, *sums, hidden));
      must(punch(*full, hidden));
      EXPECT_EQ(difference(*stack_in(left), disk, random), "");
    }
  }
}

TEST(PowerLoss, a_power_loss_after_the_last_operation_leaves_the_whole_image) {
  Random random;
  const Recorded recorded(random, false);
  const MemoryDirectory left(
      recorded.journal.after_power_loss(recorded.journal.operations().size(), 0, random));
  EXPECT_EQ(judge(left, Sums::with, recorded.disk), Verdict::right);
  EXPECT_EQ(judge(left, Sums::without, recorded.disk), Verdict::right);
}

}  // namespace
}  // namespace holdfast::image::test
