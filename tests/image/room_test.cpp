// Tests making room (law 11): hidden clusters are punched out and runs of layers are merged; every kept point
// stays the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/image/host_ranges.h"
#include "engine/image/merge.h"
#include "tests/image/fixture.h"
#include "tests/lib/faulty_file.h"
#include "tests/lib/memory_file.h"

namespace holdfast::image::test {
namespace {

using testing::HasSubstr;

// A small repository: a chain, some of whose points are kept. A file has the name of its layer's point.
class Repository {
 public:
  struct Point {
    std::string name;
    Bytes disk;
    Bytes flat;  // DISK.qcow2 as it was when the point was made
    bool kept = true;
  };
  // The layers, newest first. Each one's content is a point, unless it was dropped.
  using Chain = std::vector<Point>;

  Repository(Random& random, std::uint32_t cluster, Codec codec, std::size_t depth)
      : random_(random), cluster_(cluster), codec_(codec), disk_(random.between(1, 600) * 512 * 7) {
    while (chain_.size() < depth) grow();
  }

  void grow() {
    WriterOptions layer = options(disk_.size(), cluster_, codec_);
    if (!chain_.empty()) layer.backing_file = chain_.front().name;
    const auto patches = random_patches(random_, disk_, cluster_, 10);
    const std::string name = fmt::format("{}.qcow2", made_++);
    write_image(scratch_, name, random_, layer, disk_, patches);
    chain_.insert(chain_.begin(), Point{name, disk_, {}, true});
    chain_.front().flat = flat_bytes(stack(0));
  }

  std::shared_ptr<Stack> stack(std::size_t newest) const {
    std::vector<std::string> names;
    for (std::size_t i = newest; i < chain_.size(); ++i) names.push_back(chain_[i].name);
    return open_stack(scratch_, names);
  }

  // Drops a point; the newest stays, as in production.
  void drop(std::size_t point) {
    if (point != 0) chain_[point].kept = false;
  }
  void drop_at_random() {
    for (std::size_t i = 1; i < chain_.size(); ++i)
      if (random_.one_in(2)) drop(i);
  }

  // Returns the clusters of a layer that no kept point shows. The oldest kept point above it tells.
  std::vector<HostRange> hidden(std::size_t layer) const {
    std::size_t oldest = layer;
    while (!chain_[oldest].kept) --oldest;
    const LayerUse use{stack(oldest), layer - oldest};
    return must(hidden_data(std::span{&use, 1}));
  }
  void punch_all() {
    for (std::size_t i = 0; i < chain_.size(); ++i)
      must(punch(*scratch_.open_to_write(chain_[i].name), hidden(i)));
  }

  // Merges the layers from `newest` to `oldest` into one, in the newest's place.
  void merge(std::size_t newest, std::size_t oldest) {
    std::vector<LayerFiles> layers;
    for (std::size_t i = newest; i <= oldest; ++i) layers.push_back(layer_files(scratch_, chain_[i].name));
    const std::string below = oldest + 1 < chain_.size() ? chain_[oldest + 1].name : "";
    {
      const auto image = scratch_.create("merged");
      const auto sums = scratch_.create("merged.sums");
      must(merge_layers(std::move(layers), *image, *sums, {below, new_image_id()}));
    }
    must(scratch_.directory().rename("merged", chain_[newest].name));
    must(scratch_.directory().rename("merged.sums", chain_[newest].name + ".sums"));
    chain_.erase(chain_.begin() + static_cast<std::ptrdiff_t>(newest) + 1,
                 chain_.begin() + static_cast<std::ptrdiff_t>(oldest) + 1);
  }
  // Merges a random run of neighbours of which only the newest is kept, unless a kept point rests within it.
  void merge_at_random() {
    const std::size_t newest = random_.below(chain_.size());
    std::size_t oldest = newest;
    while (oldest + 1 < chain_.size() && !chain_[oldest + 1].kept && !random_.one_in(4)) ++oldest;
    if (chain_[newest].kept) merge(newest, oldest);
  }

  void expect_kept_points_whole() {
    for (std::size_t i = 0; i < chain_.size(); ++i) {
      if (!chain_[i].kept) continue;
      SCOPED_TRACE(fmt::format("point {} of {}, {}", i, chain_.size(), chain_[i].name));
      EXPECT_EQ(difference(*stack(i), chain_[i].disk, random_), "");
      EXPECT_EQ(qemu_difference(scratch_, chain_[i].name, chain_[i].disk), "");
      EXPECT_TRUE(flat_bytes(stack(i)) == chain_[i].flat) << "DISK.qcow2 has changed";
    }
    for (std::size_t i = 0; i < chain_.size(); ++i)
      EXPECT_TRUE(verify_punched_layer(*scratch_.open(chain_[i].name),
                                       *scratch_.open(chain_[i].name + ".sums"), hidden(i)));
  }

  // Checks that a copy of each kept point's DISK.qcow2 is its disk.
  void expect_copies_whole() {
    for (std::size_t i = 0; i < chain_.size(); ++i) {
      if (!chain_[i].kept) continue;
      scratch_.write("copy.qcow2", flat_bytes(stack(i)));
      EXPECT_EQ(qemu_difference(scratch_, "copy.qcow2", chain_[i].disk), "") << chain_[i].name;
    }
  }

  Scratch& scratch() { return scratch_; }
  const Chain& chain() const { return chain_; }

 private:
  Random& random_;
  Scratch scratch_;
  const std::uint32_t cluster_;
  const Codec codec_;
  Bytes disk_;
  Chain chain_;
  std::size_t made_ = 0;
};

class MakingRoom : public testing::TestWithParam<std::tuple<std::uint32_t, Codec>> {
 protected:
  Repository repository(std::size_t depth) {
    return {random_, std::get<0>(GetParam()), std::get<1>(GetParam()), depth};
  }

  Random random_;
};
INSTANTIATE_TEST_SUITE_P(Of, MakingRoom,
                         testing::Combine(testing::Values(512u, 4096u, 65536u),
                                          testing::Values(Codec::zstd, Codec::deflate, Codec::none)));

TEST_P(MakingRoom, punching_leaves_kept_points_whole) {
  Repository repository = this->repository(5);
  repository.drop_at_random();
  repository.punch_all();
  repository.expect_kept_points_whole();
}

TEST_P(MakingRoom, merging_leaves_kept_points_whole) {
  Repository repository = this->repository(6);
  repository.drop_at_random();
  for (int i = 0; i < 3; ++i) repository.merge_at_random();
  repository.expect_kept_points_whole();
}

TEST_P(MakingRoom, many_random_punches_and_merges_leave_kept_points_whole) {
  for (std::size_t i = 0; i < tries(1, 10); ++i) {
    Repository repository = this->repository(4);
    for (int step = 0; step < 10; ++step) {
      switch (random_.below(4)) {
        case 0: repository.drop_at_random(); break;
        case 1: repository.punch_all(); break;
        case 2: repository.merge_at_random(); break;
        case 3: repository.grow(); break;
      }
    }
    repository.expect_kept_points_whole();
  }
}

// Uses a chain of the greatest usual depth. Compares every point and its copy, then both again after making
// room.
TEST(ThirtyPoints, kept_points_stay_the_same_for_qemu_and_us_when_others_are_punched_and_merged) {
  constexpr std::uint32_t kClusters[] = {512, 4096, 65536};
  for (std::size_t i = 0; i < tries(1, 40); ++i) {
    Random random;
    Repository repository(random, random.pick<std::uint32_t>(kClusters), random.pick<Codec>(kCodecs), 30);
    repository.expect_kept_points_whole();
    repository.expect_copies_whole();
    repository.drop_at_random();
    for (int step = 0; step < 6; ++step) {
      if (random.one_in(2)) repository.punch_all();
      repository.merge_at_random();
    }
    repository.punch_all();
    repository.expect_kept_points_whole();
    repository.expect_copies_whole();
  }
}

class Room : public testing::Test {
 protected:
  // Adds a layer of a disk of 16 clusters, with the given clusters.
  void add(const std::vector<std::uint64_t>& clusters, Content content = Content::random) {
    WriterOptions layer = options(disk_.size(), 65536);
    if (!names_.empty()) layer.backing_file = names_.front();
    std::vector<Patch> patches;
    for (const std::uint64_t cluster : clusters) {
      fill(random_, ByteSpan{disk_}.subspan(cluster * 65536, 65536), content);
      patches.push_back({cluster * 65536, 65536, false});
    }
    const std::string name = fmt::format("{}.qcow2", names_.size());
    write_image(scratch_, name, random_, layer, disk_, patches);
    names_.insert(names_.begin(), name);
  }
  std::uint64_t hidden_bytes(const std::vector<std::string>& names, std::size_t layer) {
    const LayerUse use{open_stack(scratch_, names), layer};
    std::uint64_t sum = 0;
    for (const HostRange& range : must(hidden_data(std::span{&use, 1}))) sum += range.length;
    return sum;
  }

  Random random_;
  Scratch scratch_;
  Bytes disk_ = Bytes(16 * 65536);
  std::vector<std::string> names_;
};

TEST_F(Room, clusters_that_a_newer_layer_covers_are_hidden_from_it_but_not_from_the_older_point) {
  add({0, 1, 2, 3});
  add({1, 2});
  EXPECT_EQ(hidden_bytes({"1.qcow2", "0.qcow2"}, 1), 2 * 65536u);
  EXPECT_EQ(hidden_bytes({"1.qcow2", "0.qcow2"}, 0), 0u);
  EXPECT_EQ(hidden_bytes({"0.qcow2"}, 0), 0u);
  const LayerUse uses[] = {{open_stack(scratch_, {"1.qcow2", "0.qcow2"}), 1},
                           {open_stack(scratch_, {"0.qcow2"}), 0}};
  EXPECT_THAT(must(hidden_data(uses)), testing::IsEmpty());
}

TEST_F(Room, a_cluster_that_compressed_ones_share_is_hidden_with_the_last_of_them) {
  add({0, 1, 2, 3}, Content::constant);  // all four lie in one host cluster
  add({0, 1, 2});
  EXPECT_EQ(hidden_bytes({"1.qcow2", "0.qcow2"}, 1), 0u);
  add({3});
  EXPECT_EQ(hidden_bytes({"2.qcow2", "1.qcow2", "0.qcow2"}, 2), 65536u);
}

TEST_F(Room, punching_gives_room_back_and_is_no_damage_to_verify) {
  add({0, 1, 2, 3, 4, 5, 6, 7});
  add({0, 1, 2, 3, 4, 5, 6, 7});
  const LayerUse use{open_stack(scratch_, names_), 1};
  const auto hidden = must(hidden_data(std::span{&use, 1}));
  const auto image = scratch_.open_to_write("0.qcow2");
  const auto sums = scratch_.open("0.qcow2.sums");
  const std::uint64_t before = must(image->allocated());
  must(punch(*image, hidden));
  must(punch(*image, hidden));
  EXPECT_EQ(must(image->allocated()), before - 8 * 65536);
  EXPECT_EQ(error_of(verify_layer(*image, *sums)).code, EIO);
  EXPECT_TRUE(verify_punched_layer(*image, *sums, hidden));
  EXPECT_EQ(difference(*open_stack(scratch_, names_), disk_, random_), "");
  EXPECT_EQ(qemu_difference(scratch_, "1.qcow2", disk_), "");

  must(image->write_at(hidden.front().offset + 100, Bytes(1, std::byte{1})));
  EXPECT_EQ(error_of(verify_punched_layer(*image, *sums, hidden)).code, EIO)
      << "neither what it was nor zeros";
}

TEST_F(Room, a_lost_cluster_that_is_not_hidden_is_found) {
  add({0, 1, 2, 3});
  add({1, 2});
  const LayerUse use{open_stack(scratch_, names_), 1};
  const auto hidden = must(hidden_data(std::span{&use, 1}));
  const auto image = scratch_.open_to_write("0.qcow2");
  must(image->punch(0, must(image->size())));
  EXPECT_EQ(error_of(verify_punched_layer(*image, *scratch_.open("0.qcow2.sums"), hidden)).code, EIO);
}

TEST_F(Room, merging_down_to_the_full_makes_a_full) {
  add({0, 1, 2, 3});
  add({1, 4}, Content::zeros);
  add({2});
  std::vector<LayerFiles> layers;
  for (const std::string& name : names_) layers.push_back(layer_files(scratch_, name));
  const auto image = scratch_.create("merged");
  const auto sums = scratch_.create("merged.sums");
  const auto summary = must(merge_layers(std::move(layers), *image, *sums, {"", new_image_id()}));
  EXPECT_EQ(summary.data_bytes, 3 * 65536u);
  EXPECT_EQ(summary.zero_bytes, 0u);
  EXPECT_EQ(must(inspect(*image)).backing_file, "");
  EXPECT_EQ(qemu_difference(scratch_, "merged", disk_), "");
}

TEST_F(Room, merged_increments_keep_their_explicit_zeros) {
  add({0, 1, 2, 3});
  add({1}, Content::zeros);
  add({2});
  std::vector<LayerFiles> layers;
  layers.push_back(layer_files(scratch_, "2.qcow2"));
  layers.push_back(layer_files(scratch_, "1.qcow2"));
  const auto image = scratch_.create("merged");
  const auto sums = scratch_.create("merged.sums");
  const auto summary = must(merge_layers(std::move(layers), *image, *sums, {"0.qcow2", new_image_id()}));
  EXPECT_EQ(summary.zero_bytes, 65536u);
  EXPECT_EQ(qemu_difference(scratch_, "merged", disk_), "");
  EXPECT_EQ(difference(*open_stack(scratch_, {"merged", "0.qcow2"}), disk_, random_), "");
}

TEST_F(Room, layers_that_differ_are_not_merged) {
  add({0});
  WriterOptions other = options(disk_.size(), 4096);
  other.backing_file = "0.qcow2";
  write_image(scratch_, "other.qcow2", random_, other, disk_, {});
  std::vector<LayerFiles> layers;
  layers.push_back(layer_files(scratch_, "other.qcow2"));
  layers.push_back(layer_files(scratch_, "0.qcow2"));
  const auto image = scratch_.create("merged");
  const auto sums = scratch_.create("merged.sums");
  EXPECT_THAT(error_of(merge_layers(std::move(layers), *image, *sums, {"", new_image_id()})).message,
              HasSubstr("can't be merged"));
}

TEST_F(Room, a_damaged_layer_is_not_merged) {
  add({0, 1, 2, 3});
  add({1});
  Bytes bytes = scratch_.read("0.qcow2");
  // Damages every cluster, because the one that the newer layer hides is never read.
  for (const std::size_t cluster : {1, 2, 3, 4}) bytes[cluster * 65536 + 100] ^= std::byte{1};
  scratch_.write("0.qcow2", bytes);
  std::vector<LayerFiles> layers;
  for (const std::string& name : names_) layers.push_back(layer_files(scratch_, name));
  const auto image = scratch_.create("merged");
  const auto sums = scratch_.create("merged.sums");
  EXPECT_EQ(error_of(merge_layers(std::move(layers), *image, *sums, {"", new_image_id()})).code, EIO);
  EXPECT_FALSE(inspect(*image));
}

TEST_F(Room, a_full_disk_at_any_operation_of_a_merge_ends_in_that_error) {
  add({0, 1, 2, 3});
  add({1, 5});
  for (std::uint64_t operation = 0;; ++operation) {
    std::vector<LayerFiles> layers;
    for (const std::string& name : names_) layers.push_back(layer_files(scratch_, name));
    holdfast::test::MemoryFile image("merged"), sums("merged.sums");
    holdfast::test::FaultPlan plan(operation, ENOSPC);
    holdfast::test::FaultyFile faulty_image(image, plan), faulty_sums(sums, plan);
    const auto outcome = merge_layers(std::move(layers), faulty_image, faulty_sums, {"", new_image_id()});
    EXPECT_EQ(!outcome, plan.failed());
    if (outcome) break;
    EXPECT_EQ(outcome.error().code, ENOSPC);
  }
}

}  // namespace
}  // namespace holdfast::image::test
