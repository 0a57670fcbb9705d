// Tests of copying a layer's files over a connection that breaks off anywhere.
#include "engine/replication/carry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/image/writer.h"
#include "tests/lib/memory_directory.h"
#include "tests/lib/random.h"

namespace holdfast::replication {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kCluster = 4096;

class Carry : public testing::Test {
 protected:
  Carry() {
    const auto image = here_.create("image").value(), sums = here_.create("sums").value();
    image::WriterOptions options;
    options.virtual_size = 600 * kCluster;
    options.cluster_size = kCluster;
    options.codec = image::Codec::none;
    const auto writer = image::Writer::create(*image, *sums, options).value();
    Bytes data(kCluster);
    for (std::uint64_t at = 0; at < options.virtual_size; at += 2 * kCluster) {
      random_.fill(data);
      EXPECT_TRUE(writer->write(at, data));
    }
    EXPECT_TRUE(writer->finish_segment(0));
    sums_sha256_ = writer->finish().value().sums_sha256;
  }

  Result<std::uint64_t> carry() { return carry_until(~std::uint64_t{0}); }
  // Copies until that many bytes have been written.
  Result<std::uint64_t> carry_until(std::uint64_t bytes) {
    const Toll toll{.before_moving = [&](std::uint64_t moved) -> Result<> {
                      if (moved > bytes) return fail(ECANCELED, "cancelled");
                      bytes -= moved;
                      return {};
                    },
                    .looked_at = [](std::uint64_t) -> Result<> { return {}; }};
    return carry_layer({here_, kPaths}, {there_, kPaths}, sums_sha256_, toll);
  }

  static Bytes bytes(const Directory& directory, const char* path) {
    const auto file = directory.open(path, Access::read).value();
    Bytes all(file->size().value());
    EXPECT_EQ(file->read_at(0, all), all.size());
    return all;
  }
  static void flip(Directory& directory, const char* path, std::uint64_t at) {
    const auto file = directory.open(path, Access::write).value();
    Bytes byte(1);
    EXPECT_TRUE(file->read_at(at, byte));
    byte[0] ^= std::byte{1};
    EXPECT_TRUE(file->write_at(at, byte));
  }
  // Returns the number of wrong clusters in the image at the target.
  std::uint64_t missing() {
    if (!there_.exists("image").value()) return bytes(here_, "image").size();
    Bytes wanted = bytes(here_, "image"), there = bytes(there_, "image");
    there.resize(wanted.size());
    std::uint64_t count = 0;
    for (std::size_t at = 0; at < wanted.size(); at += kCluster)
      if (std::memcmp(&wanted[at], &there[at], kCluster) != 0) count += kCluster;
    return count;
  }
  void expect_whole() {
    EXPECT_EQ(bytes(there_, "image"), bytes(here_, "image"));
    EXPECT_EQ(bytes(there_, "sums"), bytes(here_, "sums"));
  }

  const repository::Place::LayerPaths kPaths{.image = "image", .sums = "sums", .content = {}};
  test::Random random_;
  test::MemoryDirectory here_, there_;
  std::string sums_sha256_;
};

TEST_F(Carry, both_files_are_copied_unchanged_and_a_second_time_nothing_moves) {
  EXPECT_EQ(carry(), bytes(here_, "image").size() + bytes(here_, "sums").size());
  expect_whole();
  EXPECT_EQ(carry(), 0u);
}

TEST_F(Carry, a_copy_broken_off_anywhere_continues_with_what_is_missing) {
  for (int i = 0; i < 50; ++i) {
    there_ = {};
    EXPECT_EQ(carry_until(random_.below(bytes(here_, "image").size())).error().code, ECANCELED);
    const std::uint64_t image = missing();
    const bool has_sums = there_.exists("sums").value() && bytes(there_, "sums") == bytes(here_, "sums");
    EXPECT_EQ(carry(), image + (has_sums ? 0 : bytes(here_, "sums").size()));
    expect_whole();
  }
}

TEST_F(Carry, bytes_found_at_the_target_are_checked_and_replaced_if_wrong) {
  ASSERT_TRUE(carry());
  for (int i = 0; i < 20; ++i) flip(there_, "image", random_.below(bytes(there_, "image").size()));
  const std::uint64_t image = missing();
  EXPECT_GT(image, 0u);
  flip(there_, "sums", random_.below(bytes(there_, "sums").size()));
  EXPECT_EQ(carry(), image + bytes(here_, "sums").size());
  expect_whole();
}

TEST_F(Carry, a_damaged_cluster_is_not_copied) {
  const std::uint64_t at = random_.below(bytes(here_, "image").size());
  flip(here_, "image", at);
  const auto carried = carry();
  ASSERT_FALSE(carried);
  EXPECT_TRUE(carried.error().damage);
  EXPECT_THAT(carried.error().message, HasSubstr(std::to_string(at / kCluster * kCluster)));
  const Bytes there = bytes(there_, "image");
  EXPECT_LE(there.size(), at);
}

TEST_F(Carry, a_checksums_file_other_than_the_recorded_one_is_refused) {
  flip(here_, "sums", random_.below(bytes(here_, "sums").size()));
  EXPECT_TRUE(carry().error().damage);
  EXPECT_FALSE(there_.exists("image").value());
}

TEST_F(Carry, a_missing_file_counts_as_damage) {
  ASSERT_TRUE(here_.remove("image"));
  EXPECT_TRUE(carry().error().damage);
}

TEST_F(Carry, a_file_that_cannot_be_opened_is_no_damage) {
  for (const int code : {EMFILE, ENOMEM, EACCES, EIO}) {
    here_.fail_opens_with(code);
    const Error error = carry().error();
    EXPECT_EQ(error.code, code);
    EXPECT_FALSE(error.damage) << error.message;
  }
}

}  // namespace
}  // namespace holdfast::replication
