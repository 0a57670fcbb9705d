// Tests that neither a disk's size nor a chain's length costs memory, or time once a segment is mapped.
#include <gtest/gtest.h>

#include <atomic>

#include "engine/image/stack.h"
#include "tests/image/fixture.h"
#include "tests/lib/counting_file.h"

namespace holdfast::image::test {
namespace {

using holdfast::test::CountingFile;

constexpr std::size_t kMostCached = Stack::kCachedBytes + Stack::kCachedMaps;

// Writes a cluster of data into each of some segments, reads all of them, and returns the cached bytes.
std::size_t cached_after_reading(std::uint64_t size, std::uint64_t segments) {
  Random random;
  Scratch scratch;
  Bytes cluster(65536);
  fill(random, cluster, Content::text);
  const std::uint64_t stride = round_down(size / segments, Writer::kSegment);
  {
    const auto image = scratch.create("a.qcow2"), sums = scratch.create("a.qcow2.sums");
    const auto writer = must(Writer::create(*image, *sums, options(size, 65536)));
    for (std::uint64_t i = 0; i < segments; ++i) {
      must(writer->write(i * stride, cluster));
      must(writer->finish_segment(i * stride));
    }
    must(writer->finish());
  }
  const auto stack = open_stack(scratch, {"a.qcow2"});
  std::size_t most = 0;
  Bytes found(65536);
  for (std::uint64_t i = 0; i < segments; ++i) {
    must(stack->read(i * stride,
                     ByteSpan{found}.first(1000)));  // a part of a cluster, so that the cache keeps the rest
    must(stack->read(i * stride + 1000, ByteSpan{found}.subspan(1000)));
    EXPECT_EQ(found, cluster);
    most = std::max(most, stack->cached());
  }
  std::uint64_t extents = 0;
  for (std::uint64_t at = 0; at < size; ++extents) at += must(stack->extent(at, UINT64_MAX)).length;
  EXPECT_EQ(extents, 2 * segments);
  return std::max(most, stack->cached());
}

TEST(Memory, a_disk_of_16_tib_takes_no_more_memory_than_others) {
  const std::size_t most = cached_after_reading(16 * kTiB, 500);
  EXPECT_GT(most, Stack::kCachedBytes - 65536) << "500 tables and clusters should have filled it";
  EXPECT_LE(most, kMostCached);
}

// A hundred layers, each with a cluster of its own and its own version of the first 64.
class HundredLayers : public testing::Test {
 protected:
  static constexpr std::size_t kLayers = 100, kShared = 64;
  static constexpr std::uint64_t kCluster = 65536;

  HundredLayers() : disk_((kShared + kLayers) * kCluster) {
    for (std::size_t layer = 0; layer < kLayers; ++layer) {
      WriterOptions shape = options(disk_.size(), kCluster);
      if (layer != 0) shape.backing_file = names_.front();
      const std::vector<Patch> patches{{layer % kShared * kCluster, kCluster, false},
                                       {(kShared + layer) * kCluster, kCluster, false}};
      for (const Patch& patch : patches) random_.fill(ByteSpan{disk_}.subspan(patch.offset, patch.length));
      names_.insert(names_.begin(), fmt::format("{}.qcow2", layer));
      write_image(scratch_, names_.front(), random_, shape, disk_, patches);
    }
  }

  Random random_;
  Scratch scratch_;
  Bytes disk_;
  std::vector<std::string> names_;
};

TEST_F(HundredLayers, a_hundred_layers_are_read_in_bounded_memory) {
  const auto stack = open_stack(scratch_, names_);
  EXPECT_EQ(difference(*stack, disk_, random_), "");
  EXPECT_LE(stack->cached(), kMostCached);
}

TEST_F(HundredLayers, a_hundred_layers_read_like_one_once_the_segment_is_mapped) {
  std::atomic<std::size_t> newest = 0, others = 0;
  std::vector<LayerFiles> layers;
  for (const std::string& name : names_) {
    auto [image, sums] = layer_files(scratch_, name);
    auto& count = layers.empty() ? newest : others;
    layers.push_back({std::make_unique<CountingFile>(std::move(image), count),
                      std::make_unique<CountingFile>(std::move(sums), count)});
  }
  const auto stack = must(Stack::open(std::move(layers)));
  Bytes cluster(kCluster);
  must(stack->read(0, cluster));
  newest = others = 0;
  const std::uint64_t of_newest = (kShared + kLayers - 1) * kCluster;
  must(stack->read(of_newest, cluster));
  EXPECT_EQ(first_difference(cluster, ByteView{disk_}.subspan(of_newest, kCluster)), std::nullopt);
  EXPECT_EQ(newest, 1u);
  EXPECT_EQ(others, 0u);
}

}  // namespace
}  // namespace holdfast::image::test
