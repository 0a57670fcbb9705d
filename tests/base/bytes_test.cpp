#include "catalog/base/bytes.h"

#include <gtest/gtest.h>

#include "catalog/base/sha256.h"

namespace holdfast {
namespace {

TEST(IsZero, sees_one_bit_anywhere_at_any_length) {
  for (std::size_t size = 0; size < 70; ++size) {
    Bytes bytes(size);
    EXPECT_TRUE(is_zero(bytes)) << size;
    for (std::size_t at = 0; at < size; ++at) {
      bytes[at] = std::byte{1};
      EXPECT_FALSE(is_zero(bytes)) << at << " of " << size;
      bytes[at] = std::byte{0};
    }
  }
}

TEST(BigEndian, numbers_lie_with_their_greatest_byte_first_at_any_alignment) {
  std::byte bytes[9] = {};
  store_be(bytes + 1, std::uint64_t{0x0102030405060708});
  for (int i = 0; i < 8; ++i) EXPECT_EQ(bytes[i + 1], std::byte(i + 1));
  EXPECT_EQ(load_be<std::uint64_t>(bytes + 1), 0x0102030405060708u);
  EXPECT_EQ(load_be<std::uint32_t>(bytes + 1), 0x01020304u);
  EXPECT_EQ(load_be<std::uint16_t>(bytes + 1), 0x0102u);
}

TEST(Rounding, goes_to_the_next_unit) {
  EXPECT_EQ(round_down(100, 64), 64);
  EXPECT_EQ(round_up(100, 64), 128);
  EXPECT_EQ(round_up(128, 64), 128);
  EXPECT_EQ(divide_up(100, 64), 2);
  EXPECT_EQ(divide_up(128, 64), 2);
  EXPECT_EQ(divide_up(0, 64), 0);
}

// FIPS 180-4's own examples.
TEST(Sha256, is_the_digest_of_the_standard) {
  EXPECT_EQ(sha256_hex(as_bytes("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Sha256 pieces;
  for (const char letter : std::string_view("abc")) pieces.update(as_bytes({&letter, 1}));
  EXPECT_EQ(pieces.hex(), sha256_hex(as_bytes("abc")));
}

}  // namespace
}  // namespace holdfast
