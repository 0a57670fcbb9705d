// Tests the sums of a disk's content: read back as they were written, and refused when they were altered.
#include "engine/image/content_sums.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/lib/memory_file.h"
#include "tests/lib/random.h"

namespace holdfast::image::test {
namespace {

using holdfast::test::MemoryFile;
using testing::HasSubstr;

constexpr ContentShape kShape{.cluster_size = 65536, .disk_size = 10 * 65536 + 512, .id = {std::byte{7}}};

Sum sum(unsigned char n) {
  Sum made{};
  made.fill(std::byte{n});
  return made;
}

// Writes a file with two sums; returns its SHA-256.
std::string write(File& file) {
  auto writer = ContentWriter::create(file, kShape).value();
  const std::vector<Sum> two{sum(1), sum(2)};
  EXPECT_TRUE(writer.write(3, two));
  return writer.finish().value();
}

TEST(ContentSums, sums_are_read_back_with_zeros_where_none_were_written) {
  auto file = std::make_unique<MemoryFile>("f");
  const std::string sha256 = write(*file);
  const auto reader = ContentReader::open(std::move(file), kShape, sha256).value();
  EXPECT_EQ(reader.read(2, 4).value(), (std::vector<Sum>{kZeroContent, sum(1), sum(2), kZeroContent}));
  EXPECT_EQ(reader.read(10, 1).value(), std::vector<Sum>{kZeroContent}) << "the cluster at the disk's end";
  EXPECT_FALSE(reader.read(10, 2));
}

TEST(ContentSums, sums_with_any_flipped_bit_are_refused) {
  MemoryFile file("f");
  const std::string sha256 = write(file);
  Bytes bytes(file.size().value());
  ASSERT_EQ(file.read_at(0, bytes).value(), bytes.size());
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(ContentReader::open(std::make_unique<MemoryFile>("f", bytes), kShape, sha256)) << bit;
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
  }
  EXPECT_TRUE(ContentReader::open(std::make_unique<MemoryFile>("f", bytes), kShape, sha256));
}

TEST(ContentSums, sums_of_another_image_or_disk_are_refused) {
  MemoryFile file("f");
  const std::string sha256 = write(file);
  Bytes bytes(file.size().value());
  ASSERT_EQ(file.read_at(0, bytes).value(), bytes.size());
  const auto refusal = [&](const ContentShape& shape) {
    const auto opened = ContentReader::open(std::make_unique<MemoryFile>("f", bytes), shape, sha256);
    return opened ? "accepted" : opened.error().message;
  };
  ContentShape other = kShape;
  other.id[0] = std::byte{8};
  EXPECT_THAT(refusal(other), HasSubstr("does not begin with the header of image 08"));
  other = kShape;
  other.disk_size -= 1;
  EXPECT_THAT(refusal(other), HasSubstr("does not begin"));
  other.disk_size = 65536;
  EXPECT_THAT(refusal(other), HasSubstr("has 240 bytes; the content sums of a disk of 65536 bytes have 80"));
}

TEST(ContentSums, contents_of_different_length_have_different_sums) {
  const Bytes zeros(4096), ones(4096, std::byte{1});
  EXPECT_EQ(content_sum(zeros), kZeroContent);
  EXPECT_NE(content_sum(ones), kZeroContent);
  EXPECT_NE(content_sum(ones), content_sum(ByteView{ones}.first(512)));
}

}  // namespace
}  // namespace holdfast::image::test
