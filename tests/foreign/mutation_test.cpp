// Tests version 1 images with some bytes replaced: they give an error, or a disk of the header's size, and
// nothing worse.
#include <gtest/gtest.h>

#include "tests/foreign/fixture.h"

namespace holdfast::foreign::test {
namespace {

class Mutants {
 public:
  explicit Mutants(Random& random) : random_(random) {
    make_truth(scratch, random, 3 * kMiB);
    for (const char* make : {"qemu-img convert -f raw -O qcow truth.raw a.img", kMakeCompressedVersion1}) {
      sh(scratch, make);
      good_.push_back(scratch.read("a.img"));
    }
  }

  // Writes bad.img; returns the disk size in its header.
  std::uint64_t next() {
    constexpr std::uint64_t kTables = 8192;
    Bytes bad = random_.pick<Bytes>(good_);
    if (random_.one_in(8)) bad.resize(random_.between(48, bad.size()));
    for (std::uint64_t n = random_.between(1, 12); n != 0; --n) {
      const std::uint64_t within = random_.one_in(3) ? 48 : random_.one_in(2) ? kTables : bad.size();
      bad[random_.below(std::min<std::uint64_t>(within, bad.size()))] =
          static_cast<std::byte>(random_.one_in(2) ? random_.next() : random_.below(3));
    }
    // Restores the first bytes in half of them, so that these pass the first check.
    if (random_.one_in(2)) store_be<std::uint64_t>(bad.data(), 0x514649fb00000001);
    scratch.write("bad.img", bad);
    return load_be<std::uint64_t>(bad.data() + 24);
  }

  Scratch scratch;

 private:
  Random& random_;
  std::vector<Bytes> good_;
};

constexpr std::uint64_t kMost = 4 * kMiB;

TEST(Mutants, mutants_are_refused_or_read_with_the_size_of_their_header) {
  Random random;
  Mutants mutants(random);
  std::size_t opened = 0, whole = 0;
  for (std::size_t i = 0; i < tries(300, 5000); ++i) {
    const std::uint64_t size = mutants.next();
    const auto image = try_open(mutants.scratch, "bad.img");
    if (!image) continue;
    ++opened;
    if ((*image)->facts().version == 1) {
      EXPECT_EQ((*image)->size(), size);
    }
    Bytes into(std::min((*image)->size(), kMost));
    const auto read = (*image)->read(0, into);
    whole += read.has_value();
    EXPECT_TRUE(read || read.error().code == EIO) << read.error().message;
  }
  EXPECT_GT(opened, 0u);
  std::cout << opened << " were opened, " << whole << " read to the end" << std::endl;
}

// Skips our parser, so that libqcow sees the damage. The child may die, the parent may not.
TEST(Mutants, mutants_that_reach_libqcow_harm_the_reader_only) {
  Random random;
  Mutants mutants(random);
  std::size_t died = 0;
  for (std::size_t i = 0; i < tries(150, 5000); ++i) {
    mutants.next();
    const auto file = must(ImageFile::open(mutants.scratch.path("bad.img")));
    const auto process =
        ReaderProcess::start(file, {.program = HOLDFAST_QCOW, .deadline = std::chrono::seconds(5)});
    if (!process) {
      died += process.error().message.find("its reader") != std::string::npos;
      continue;
    }
    Bytes into(std::min((*process)->size(), kMost));
    const auto read = (*process)->read(0, into, 4096);
    died += !read && read.error().message.find("its reader") != std::string::npos;
  }
  std::cout << "the reader died, or was ended, " << died << " times" << std::endl;
}

}  // namespace
}  // namespace holdfast::foreign::test
