// Tests many threads over one stack; the tsan build is the judge.
#include <gtest/gtest.h>

#include <thread>

#include "tests/image/fixture.h"

namespace holdfast::image::test {
namespace {

TEST(Threads, many_threads_read_one_stack_together) {
  Random random;
  Scratch scratch;
  Bytes disk(12 * kMiB);
  std::vector<std::string> names;
  for (int layer = 0; layer < 4; ++layer) {
    WriterOptions increment = options(disk.size(), layer % 2 == 0 ? 65536 : 4096);
    if (!names.empty()) increment.backing_file = names.front();
    const auto patches = random_patches(random, disk, increment.cluster_size, 40);
    const std::string name = fmt::format("{}.qcow2", layer);
    write_image(scratch, name, random, increment, disk, patches);
    names.insert(names.begin(), name);
  }
  const auto stack = open_stack(scratch, names);
  std::vector<std::jthread> readers;
  for (std::uint64_t i = 0; i < 6; ++i)
    readers.emplace_back([&, seed = random.next()] {
      Random own(seed);
      for (int read = 0; read < 150; ++read) {
        const std::uint64_t offset = own.below(disk.size());
        Bytes piece(
            own.below(std::min<std::uint64_t>(own.one_in(4) ? kMiB : 8192, disk.size() - offset) + 1));
        EXPECT_TRUE(stack->read(offset, piece));
        EXPECT_EQ(first_difference(piece, ByteView{disk}.subspan(offset, piece.size())), std::nullopt);
        EXPECT_TRUE(stack->extent(offset, kMiB));
      }
    });
}

}  // namespace
}  // namespace holdfast::image::test
