// Tests the stack's extents of data, zeros and holes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/image/fixture.h"

namespace holdfast::image {

// Prints an extent for googletest.
static void PrintTo(const ReadExtent& extent, std::ostream* out) {
  *out << fmt::format("{} {}+{} layer {}", static_cast<int>(extent.kind), extent.offset, extent.length,
                      extent.layer);
}
static bool operator==(const ReadExtent& a, const ReadExtent& b) {
  return a.kind == b.kind && a.offset == b.offset && a.length == b.length && a.layer == b.layer;
}

namespace test {
namespace {

using Kind = ReadExtent::Kind;
using testing::ElementsAre;

std::vector<ReadExtent> all_extents(const Stack& stack) {
  std::vector<ReadExtent> extents;
  for (std::uint64_t at = 0; at < stack.size(); at += extents.back().length)
    extents.push_back(must(stack.extent(at, UINT64_MAX)));
  return extents;
}

std::shared_ptr<Stack> stack_of(Scratch& scratch, Random& random, const WriterOptions& full,
                                const Bytes& disk, const std::vector<Patch>& in_full,
                                const std::vector<Patch>& in_increment) {
  write_image(scratch, "full.qcow2", random, full, disk, in_full);
  WriterOptions increment = options(full.virtual_size, 65536);
  increment.backing_file = "full.qcow2";
  write_image(scratch, "inc.qcow2", random, increment, disk, in_increment);
  return open_stack(scratch, {"inc.qcow2", "full.qcow2"});
}

TEST(Extents, neighbours_of_one_kind_and_layer_are_joined) {
  Scratch scratch;
  Random random;
  Bytes disk(kMiB);
  fill(random, ByteSpan{disk}.first(131072), Content::text);
  fill(random, ByteSpan{disk}.subspan(131072, 131072), Content::random);
  const auto stack = stack_of(scratch, random, options(kMiB, 65536), disk, {{0, 262144, false}},
                              {{65536, 65536, false}, {262144, 65536, true}, {327680, 65536, true}});
  EXPECT_THAT(
      all_extents(*stack),
      ElementsAre(ReadExtent{Kind::data, 0, 65536, 1}, ReadExtent{Kind::data, 65536, 65536, 0},
                  ReadExtent{Kind::data, 131072, 131072, 1}, ReadExtent{Kind::zero, 262144, 131072, 0},
                  ReadExtent{Kind::hole, 393216, kMiB - 393216, 0}));
}

TEST(Extents, extents_begin_and_end_where_the_caller_asks) {
  Scratch scratch;
  Random random;
  Bytes disk(kMiB, std::byte{1});
  write_image(scratch, "a.qcow2", random, options(kMiB, 65536), disk, all_of(disk));
  const auto stack = open_stack(scratch, {"a.qcow2"});
  EXPECT_EQ(must(stack->extent(1000, 70'000)), (ReadExtent{Kind::data, 1000, 70'000, 0}));
  EXPECT_EQ(must(stack->extent(kMiB - 1, UINT64_MAX)), (ReadExtent{Kind::data, kMiB - 1, 1, 0}));
  EXPECT_EQ(error_of(stack->extent(kMiB, 1)).code, EINVAL);
}

TEST(Extents, extents_are_joined_across_segments) {
  Scratch scratch;
  const std::uint64_t size = Writer::kSegment + 4 * kMiB;
  const auto image = scratch.create("a.qcow2");
  const auto sums = scratch.create("a.qcow2.sums");
  const auto writer = must(Writer::create(*image, *sums, options(size, 65536)));
  const Bytes data(kMiB, std::byte{1});
  must(writer->write(Writer::kSegment - kMiB, data));
  must(writer->finish_segment(0));
  must(writer->write(Writer::kSegment, data));
  must(writer->finish());
  EXPECT_THAT(all_extents(*open_stack(scratch, {"a.qcow2"})),
              ElementsAre(ReadExtent{Kind::hole, 0, Writer::kSegment - kMiB, 0},
                          ReadExtent{Kind::data, Writer::kSegment - kMiB, 2 * kMiB, 0},
                          ReadExtent{Kind::hole, Writer::kSegment + kMiB, 3 * kMiB, 0}));
}

TEST(Extents, extents_agree_with_qemus_map) {
  Random random;
  for (std::size_t i = 0; i < tries(3, 30); ++i) {
    Scratch scratch;
    Bytes disk(random.between(1, 64) * 65536);
    const auto in_full = random_patches(random, disk, 65536, 12);
    const auto in_increment = random_patches(random, disk, 65536, 12);
    const auto stack = stack_of(scratch, random, options(disk.size(), 65536), disk, in_full, in_increment);
    std::string ours;
    for (const ReadExtent& extent : all_extents(*stack))
      if (extent.kind == Kind::data)
        ours += fmt::format("{} {} {}\n", extent.offset, extent.length, extent.layer);
    // QEMU splits data at file positions; joined, its extents are ours.
    const std::string theirs =
        sh(scratch,
           "qemu-img map -f qcow2 --output=json inc.qcow2 | jq -r '"
           "reduce (.[] | select(.data)) as $e ([]; "
           "if length > 0 and .[-1].depth == $e.depth and .[-1].start + .[-1].length == $e.start "
           "then .[-1].length += $e.length else . + [$e] end) "
           "| .[] | \"\\(.start) \\(.length) \\(.depth)\"'");
    EXPECT_EQ(ours, theirs);
  }
}

TEST(Extents, a_hole_of_63_tib_is_found_by_its_tables_alone) {
  Scratch scratch;
  const auto image = scratch.create("a.qcow2");
  const auto sums = scratch.create("a.qcow2.sums");
  const auto writer = must(Writer::create(*image, *sums, options(63 * kTiB, 65536)));
  const Bytes cluster(65536, std::byte{1});
  must(writer->write(60 * kTiB, cluster));
  must(writer->finish());
  EXPECT_THAT(
      all_extents(*open_stack(scratch, {"a.qcow2"})),
      ElementsAre(ReadExtent{Kind::hole, 0, 60 * kTiB, 0}, ReadExtent{Kind::data, 60 * kTiB, 65536, 0},
                  ReadExtent{Kind::hole, 60 * kTiB + 65536, 3 * kTiB - 65536, 0}));
}

}  // namespace
}  // namespace test
}  // namespace holdfast::image
