// Tests where two points differ.
#include "engine/image/difference.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/image/fixture.h"

namespace holdfast::image::test {
namespace {

using Extents = std::vector<std::pair<std::uint64_t, std::uint64_t>>;  // offset and length of each difference

Extents differences(const Stack& a, const Stack& b, Compare compare) {
  Extents found;
  for (std::uint64_t at = 0; at < std::max(a.size(), b.size());) {
    const DifferenceExtent extent = must(image::difference(a, b, at, UINT64_MAX, compare));
    EXPECT_EQ(extent.offset, at);
    if (extent.differs) found.emplace_back(at, extent.length);
    at += extent.length;
  }
  return found;
}

// Compares the records cluster by cluster.
Extents recorded_differences(Bytes a, Bytes b, std::size_t cluster) {
  Extents expected;
  for (std::size_t at = 0; at < a.size(); at += cluster) {
    const std::size_t length = std::min(cluster, a.size() - at);
    if (std::memcmp(a.data() + at, b.data() + at, length) == 0) continue;
    if (!expected.empty() && expected.back().first + expected.back().second == at) {
      expected.back().second += length;
    } else {
      expected.emplace_back(at, length);
    }
  }
  return expected;
}

bool covers(const Extents& outer, const Extents& inner) {
  return std::ranges::all_of(inner, [&](const auto& part) {
    return std::ranges::any_of(outer, [&](const auto& whole) {
      return whole.first <= part.first && part.first + part.second <= whole.first + whole.second;
    });
  });
}

class Difference : public testing::Test {
 protected:
  void add(const std::string& name, const std::string& below) {
    WriterOptions layer = options(disk_.size(), 4096);
    layer.backing_file = below;
    const auto patches = random_patches(random_, disk_, 4096, 15);
    write_image(scratch_, name, random_, layer, disk_, patches);
  }

  Random random_;
  Scratch scratch_;
  Bytes disk_ = Bytes(kMiB + 512);
};

TEST_F(Difference, points_of_one_chain_differ_where_the_records_do) {
  for (std::size_t i = 0; i < tries(5, 100); ++i) {
    scratch_.clear();
    std::ranges::fill(disk_, std::byte{0});
    add("0", "");
    const Bytes before = disk_;
    add("1", "0");
    add("2", "1");
    const auto a = open_stack(scratch_, {"0"});
    const auto b = open_stack(scratch_, {"2", "1", "0"});
    const Extents expected = recorded_differences(before, disk_, 4096);
    EXPECT_EQ(differences(*a, *b, Compare::contents), expected);
    EXPECT_EQ(differences(*b, *a, Compare::contents), expected);
    const Extents by_place = differences(*a, *b, Compare::places);
    EXPECT_TRUE(covers(by_place, expected))
        << testing::PrintToString(by_place) << testing::PrintToString(expected);
  }
}

TEST_F(Difference, a_point_does_not_differ_from_itself) {
  add("0", "");
  EXPECT_EQ(differences(*open_stack(scratch_, {"0"}), *open_stack(scratch_, {"0"}), Compare::places),
            Extents{});
}

TEST_F(Difference, two_fulls_of_the_same_content_do_not_differ_by_content) {
  fill(random_, disk_, Content::text);
  write_image(scratch_, "0", random_, options(disk_.size(), 4096), disk_, all_of(disk_));
  write_image(scratch_, "1", random_, options(disk_.size(), 65536), disk_, all_of(disk_));
  const auto a = open_stack(scratch_, {"0"});
  const auto b = open_stack(scratch_, {"1"});
  EXPECT_EQ(differences(*a, *b, Compare::contents), Extents{});
  EXPECT_EQ(differences(*a, *b, Compare::places), (Extents{{0, disk_.size()}}));
}

TEST_F(Difference, disks_of_two_sizes_differ_beyond_the_shorter_end) {
  add("0", "");
  WriterOptions longer = options(disk_.size() + 10'000, 4096);
  longer.backing_file = "0";
  write_image(scratch_, "1", random_, longer, disk_, {});
  const auto a = open_stack(scratch_, {"0"});
  const auto b = open_stack(scratch_, {"1", "0"});
  EXPECT_EQ(differences(*a, *b, Compare::contents), (Extents{{disk_.size(), 10'000}}));
  EXPECT_EQ(error_of(image::difference(*a, *b, disk_.size() + 10'000, 1, Compare::places)).code, EINVAL);
}

TEST_F(Difference, huge_sparse_disks_are_compared_by_their_tables) {
  for (const char* name : {"0", "1"}) {
    const auto image = scratch_.create(name);
    const auto sums = scratch_.create(std::string{name} + ".sums");
    const auto writer = must(Writer::create(*image, *sums, options(60 * kTiB, 65536)));
    const Bytes data(65536, std::byte{1});
    if (*name == '1') must(writer->write(50 * kTiB, data));
    must(writer->finish());
  }
  EXPECT_EQ(differences(*open_stack(scratch_, {"0"}), *open_stack(scratch_, {"1"}), Compare::contents),
            (Extents{{50 * kTiB, 65536}}));
}

}  // namespace
}  // namespace holdfast::image::test
