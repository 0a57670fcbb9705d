// Tests chains of layers: our reader, QEMU and a byte record must agree.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/image/fixture.h"

namespace holdfast::image::test {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kClusterSizes[] = {512, 4096, 65536, 262144};

// A chain grown layer by layer, each of its own cluster size, codec and length.
class RandomChain {
 public:
  RandomChain(Scratch& scratch, Random& random) : scratch_(scratch), random_(random) {
    disk_.resize(random_size());
  }

  void grow() {
    const std::uint32_t cluster = random_.pick<std::uint32_t>(kClusterSizes);
    if (random_.one_in(4)) disk_.resize(random_size());
    WriterOptions layer = options(disk_.size(), cluster, random_.pick<Codec>(kCodecs));
    if (!names_.empty()) layer.backing_file = names_.front();
    const auto patches = random_patches(random_, disk_, cluster, random_.between(1, 12));
    const std::string name = fmt::format("{}.qcow2", names_.size());
    write_image(scratch_, name, random_, layer, disk_, patches);
    names_.insert(names_.begin(), name);
  }

  const std::vector<std::string>& names() const { return names_; }  // newest first
  const Bytes& disk() const { return disk_; }

 private:
  // Returns whole sectors, because QEMU shows a longer parent's bytes in the rest of a child's last sector.
  std::uint64_t random_size() { return random_.between(1, 12 * kKiB) * 512; }

  Scratch& scratch_;
  Random& random_;
  std::vector<std::string> names_;
  Bytes disk_;
};

TEST(Chain, random_layers_read_as_qemu_and_the_record_say) {
  for (std::size_t i = 0; i < tries(3, 60); ++i) {
    Random random;
    Scratch scratch;
    RandomChain chain(scratch, random);
    for (int layer = 0; layer < 30; ++layer) chain.grow();
    EXPECT_EQ(difference(*open_stack(scratch, chain.names()), chain.disk(), random), "");
    EXPECT_EQ(difference(*open_stack(scratch, chain.names(), Sums::without), chain.disk(), random), "");
    EXPECT_EQ(qemu_difference(scratch, chain.names().front(), chain.disk()), "");
    scratch.write("copy.qcow2", flat_bytes(open_stack(scratch, chain.names())));
    EXPECT_EQ(qemu_difference(scratch, "copy.qcow2", chain.disk()), "");
  }
}

TEST(Chain, the_comparison_sees_one_flipped_bit) {
  Random random;
  Scratch scratch;
  RandomChain chain(scratch, random);
  for (int layer = 0; layer < 5; ++layer) chain.grow();
  Bytes flipped = chain.disk();
  flipped[random.below(flipped.size())] ^= std::byte{1};
  EXPECT_NE(difference(*open_stack(scratch, chain.names()), flipped, random), "");
  EXPECT_NE(qemu_difference(scratch, chain.names().front(), flipped), "");
}

// Layers of one cluster each, to test exactly which layer shows through.
class Layers : public testing::Test {
 protected:
  // `content`: 0 for an explicit zero; otherwise every byte of the patch.
  struct Part {
    std::uint64_t offset, length;
    int content;
  };

  void add(std::uint64_t size, std::uint32_t cluster, const std::vector<Part>& parts) {
    WriterOptions layer = options(size, cluster);
    if (!names_.empty()) layer.backing_file = names_.front();
    Bytes disk(size);
    std::vector<Patch> patches;
    for (const Part& part : parts) {
      std::fill_n(disk.begin() + static_cast<std::ptrdiff_t>(part.offset), part.length,
                  static_cast<std::byte>(part.content));
      patches.push_back({part.offset, part.length, part.content == 0});
    }
    const std::string name = fmt::format("{}.qcow2", names_.size());
    write_image(scratch_, name, random_, layer, disk, patches);
    names_.insert(names_.begin(), name);
  }

  void expect(const Bytes& disk) {
    EXPECT_EQ(difference(*open_stack(scratch_, names_), disk, random_), "");
    EXPECT_EQ(qemu_difference(scratch_, names_.front(), disk), "");
  }

  static Bytes bytes(std::initializer_list<std::pair<std::uint64_t, int>> stretches) {
    Bytes disk;
    for (const auto& [length, content] : stretches)
      disk.insert(disk.end(), length, static_cast<std::byte>(content));
    return disk;
  }

  Random random_;
  Scratch scratch_;
  std::vector<std::string> names_;
};

TEST_F(Layers, an_explicit_zero_hides_the_parent) {
  add(4 * 65536, 65536, {{0, 4 * 65536, 9}});
  add(4 * 65536, 65536, {{65536, 65536, 0}});
  expect(bytes({{65536, 9}, {65536, 0}, {131072, 9}}));
}

TEST_F(Layers, beyond_the_end_of_a_shorter_parent_are_zeros) {
  add(100'000, 65536, {{0, 100'000, 1}});
  add(300'000, 65536, {});
  expect(bytes({{100'000, 1}, {200'000, 0}}));
}

TEST_F(Layers, a_shorter_layer_hides_what_a_longer_one_below_has_beyond_its_end) {
  add(300'000, 65536, {{0, 300'000, 1}});
  add(100'352, 65536, {{0, 65536, 2}});
  add(300'000, 65536, {});
  expect(bytes({{65536, 2}, {100'352 - 65536, 1}, {300'000 - 100'352, 0}}));
}

TEST_F(Layers, the_tail_of_a_longer_parent_is_ignored) {
  add(300'000, 65536, {{0, 300'000, 1}});
  add(100'352, 65536, {});
  expect(bytes({{100'352, 1}}));
}

TEST_F(Layers, large_clusters_over_small_ones_and_small_over_large_resolve_by_byte) {
  add(1 << 20, 262144, {{0, 1 << 20, 1}});
  add(1 << 20, 512, {{512, 1024, 2}, {600 * 512, 512, 0}});
  add(1 << 20, 65536, {{65536, 65536, 3}});
  expect(bytes({{512, 1},
                {1024, 2},
                {65536 - 1536, 1},
                {65536, 3},
                {600 * 512 - 131072, 1},
                {512, 0},
                {(1 << 20) - 601 * 512, 1}}));
}

TEST_F(Layers, a_full_above_others_is_refused) {
  add(65536, 65536, {});
  write_image(scratch_, "full.qcow2", random_, options(65536, 65536), Bytes(65536), {});
  std::vector<LayerFiles> layers;
  layers.push_back(layer_files(scratch_, "full.qcow2"));
  layers.push_back(layer_files(scratch_, "0.qcow2"));
  EXPECT_THAT(error_of(Stack::open(std::move(layers))).message, HasSubstr("has no backing file"));
}

TEST_F(Layers, an_increment_without_its_parent_is_refused) {
  add(65536, 65536, {});
  add(65536, 65536, {});
  std::vector<LayerFiles> layers;
  layers.push_back(layer_files(scratch_, "1.qcow2"));
  const Error error = error_of(Stack::open(std::move(layers)));
  EXPECT_EQ(error.code, EINVAL);
  EXPECT_THAT(error.message, HasSubstr("has the backing file '0.qcow2', but no layer below it was given"));
}

TEST_F(Layers, no_layer_at_all_is_refused) { EXPECT_EQ(error_of(Stack::open({})).code, EINVAL); }

TEST_F(Layers, a_read_beyond_the_end_is_refused) {
  add(1000, 512, {{0, 1000, 1}});
  const auto stack = open_stack(scratch_, names_);
  Bytes into(100);
  EXPECT_TRUE(stack->read(900, into));
  EXPECT_EQ(error_of(stack->read(901, into)).code, EINVAL);
  EXPECT_EQ(error_of(stack->read(UINT64_MAX - 10, into)).code, EINVAL);
  EXPECT_TRUE(stack->read(1000, {}));
}

}  // namespace
}  // namespace holdfast::image::test
