// Helpers of the tests of foreign images. QEMU makes the images, and QEMU tells their content.
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

// Options for the reader that was built with these tests.
ReaderOptions reader();

Result<std::unique_ptr<ForeignImage>> try_open(const Scratch& scratch, const std::string& name);
std::unique_ptr<ForeignImage> open(const Scratch& scratch, const std::string& name);

// Writes truth.raw, a disk with stretches of every content and of zeros; returns its content.
Bytes make_truth(Scratch& scratch, Random& random, std::uint64_t size);

// Reads the image as a whole, in random pieces and along its extents. Returns "" if it holds exactly `disk`;
// otherwise a sentence with the place.
std::string difference(ForeignImage& image, const Bytes& disk, Random& random);

// Makes a version 1 image of the disk with clusters and tables of any size, which qemu-img can't make.
struct Qcow1Layout {
  std::uint32_t cluster_bits = 12, table_bits = 9;
  bool compressed = false;
};
Bytes qcow1_image(const Bytes& disk, const Qcow1Layout& layout);

// Makes a compressed version 1 image, a.img, from truth.raw. QEMU 7.2 exits with 1 although the image is
// correct.
constexpr char kMakeCompressedVersion1[] =
    "{ qemu-img convert -c -f raw -O qcow truth.raw a.img || qemu-img compare -q -f raw -F qcow truth.raw "
    "a.img; }";

// Returns the image's disk as QEMU reads it.
Bytes as_qemu_reads(Scratch& scratch, const std::string& name, const std::string& format);

}  // namespace holdfast::foreign::test
