// Tests a full or broken disk at each operation: it leaves an error and no image.
#include <gtest/gtest.h>

#include "tests/image/fixture.h"
#include "tests/lib/faulty_file.h"
#include "tests/lib/memory_file.h"

namespace holdfast::image::test {
namespace {

using holdfast::test::FaultPlan;
using holdfast::test::FaultyFile;
using holdfast::test::MemoryFile;

class Fault : public testing::Test {
 protected:
  Fault() : disk_(3 * kMiB) { patches_ = random_patches(random_, disk_, 4096, 30); }

  // Writes an image; the operation of this number and all later ones fail. Returns true if that number was
  // never reached.
  bool write_until(std::uint64_t first_failing, int code) {
    MemoryFile image("disk.qcow2");
    MemoryFile sums("disk.sums");
    FaultPlan plan(first_failing, code);
    FaultyFile faulty_image(image, plan);
    FaultyFile faulty_sums(sums, plan);
    const auto outcome = write(faulty_image, faulty_sums);
    EXPECT_EQ(!outcome, plan.failed());
    if (outcome) return true;
    EXPECT_EQ(outcome.error().code, code);
    EXPECT_TRUE(!inspect(image) || is_whole(image));
    return false;
  }

  Result<> write(File& image, File& sums) {
    HF_TRY(const auto writer, Writer::create(image, sums, options(disk_.size(), 4096)));
    for (const Patch& patch : patches_)
      HF_CHECK(patch.as_zero
                   ? writer->zero(patch.offset, patch.length)
                   : writer->write(patch.offset, ByteView{disk_}.subspan(patch.offset, patch.length)));
    HF_CHECK(writer->finish_segment(0));
    HF_CHECK(writer->finish());
    return {};
  }

  // True if only the last sync failed: everything is written, but perhaps not durable.
  bool is_whole(const MemoryFile& image) {
    std::vector<LayerFiles> layers;
    layers.push_back({std::make_unique<MemoryFile>("disk.qcow2", image.bytes()), nullptr});
    return difference(*must(Stack::open(std::move(layers))), disk_, random_).empty();
  }

  Random random_;
  Bytes disk_;
  std::vector<Patch> patches_;
};

TEST_F(Fault, enospc_at_any_operation_ends_in_that_error) {
  std::uint64_t operation = 0;
  while (!write_until(operation, ENOSPC)) ++operation;
  EXPECT_GT(operation, 10u);
}

TEST_F(Fault, eio_at_any_operation_ends_in_that_error) {
  std::uint64_t operation = 0;
  while (!write_until(operation, EIO)) ++operation;
}

TEST_F(Fault, after_an_error_every_call_fails) {
  MemoryFile image("disk.qcow2");
  MemoryFile sums("disk.sums");
  FaultPlan plan(0, ENOSPC);
  FaultyFile faulty(image, plan);
  const auto writer = must(Writer::create(faulty, sums, options(Writer::kSegment * 2, 65536, Codec::none)));
  Bytes data(kMiB);
  random_.fill(data);
  const Error error = error_of([&]() -> Result<> {
    HF_CHECK(writer->write(0, data));
    return writer->finish_segment(0);
  }());
  EXPECT_EQ(error.code, ENOSPC);
  EXPECT_EQ(error_of(writer->write(Writer::kSegment, data)), error);
  EXPECT_EQ(error_of(writer->finish()), error);
}

TEST_F(Fault, a_writer_dropped_with_work_waiting_ends) {
  MemoryFile image("disk.qcow2");
  MemoryFile sums("disk.sums");
  const auto writer = must(Writer::create(image, sums, options(64 * kMiB, 65536)));
  Bytes data(4 * kMiB);
  random_.fill(data);
  must(writer->write(0, data));
}

}  // namespace
}  // namespace holdfast::image::test
