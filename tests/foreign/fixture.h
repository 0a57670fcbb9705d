// What the tests of foreign images share, on top of those of images: QEMU makes them, QEMU says what is in
// them.
#pragma once

#include <string>

#include "engine/foreign/foreign_image.h"
#include "tests/image/fixture.h"

namespace holdfast::foreign::test {

using holdfast::test::Random;
using holdfast::test::tries;
using image::test::error_of;
using image::test::must;
using image::test::Scratch;
using image::test::sh;

// The reader that was built with these tests.
ReaderOptions reader();

Result<std::unique_ptr<ForeignImage>> try_open(const Scratch& scratch, const std::string& name);
std::unique_ptr<ForeignImage> open(const Scratch& scratch, const std::string& name);

// A disk with stretches of everything, and whole zeros; it is truth.raw, too.
Bytes make_truth(Scratch& scratch, Random& random, std::uint64_t size);

// The image, read as a whole, in random pieces and along its extents, holds exactly this; otherwise a
// sentence says where not.
std::string difference(ForeignImage& image, const Bytes& disk, Random& random);

// A version 1 image of the disk with clusters and tables of any size, which qemu-img can't make.
struct Qcow1Layout {
  std::uint32_t cluster_bits = 12, table_bits = 9;
  bool compressed = false;
};
Bytes qcow1_image(const Bytes& disk, const Qcow1Layout& layout);

// Makes a compressed version 1 image, a.img, of truth.raw. QEMU 7.2 exits with 1 although it is right.
constexpr char kMakeCompressedVersion1[] =
    "{ qemu-img convert -c -f raw -O qcow truth.raw a.img || qemu-img compare -q -f raw -F qcow truth.raw "
    "a.img; }";

// The image's disk as QEMU reads it.
Bytes as_qemu_reads(Scratch& scratch, const std::string& name, const std::string& format);

}  // namespace holdfast::foreign::test
