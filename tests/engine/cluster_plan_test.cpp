// Clusters of a full and of an increment: what is read, and which are explicit zeros (law 6).
#include "engine/capture/cluster_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace holdfast::capture {
namespace {

enum class Fate { skip, read, zero };

// The rule, cluster by cluster and byte range by byte range: slow but plain.
std::vector<Fate> fates_by_the_rule(const std::vector<source::Extent>& extents, std::uint64_t begin,
                                    std::uint64_t end, std::uint64_t unit, bool incremental) {
  std::vector<Fate> fates;
  for (std::uint64_t cluster = begin; cluster < end; cluster += unit) {
    const std::uint64_t stop = std::min(cluster + unit, end);
    bool changed = false;
    bool zero = true;
    for (const auto& extent : extents) {
      if (extent.offset >= stop || extent.offset + extent.length <= cluster) continue;
      changed |= extent.changed;
      zero &= extent.zero;
    }
    if (!changed || (zero && !incremental))
      fates.push_back(Fate::skip);
    else
      fates.push_back(zero ? Fate::zero : Fate::read);
  }
  return fates;
}

std::vector<Fate> fates_of(const ClusterPlan& plan, std::uint64_t begin, std::uint64_t end,
                           std::uint64_t unit) {
  std::vector<Fate> fates((end - begin + unit - 1) / unit, Fate::skip);
  const auto mark = [&](const std::vector<source::Range>& ranges, Fate fate) {
    for (const auto& range : ranges) {
      EXPECT_EQ(range.offset % unit, 0U);
      EXPECT_TRUE((range.offset + range.length) % unit == 0 || range.offset + range.length == end);
      for (std::uint64_t at = range.offset; at < range.offset + range.length; at += unit)
        fates[(at - begin) / unit] = fate;
    }
  };
  mark(plan.read, Fate::read);
  mark(plan.zero, Fate::zero);
  return fates;
}

std::vector<source::Extent> random_extents(std::mt19937_64& random, std::uint64_t begin, std::uint64_t end) {
  std::vector<source::Extent> extents;
  while (begin < end) {
    const std::uint64_t length = std::min(end - begin, 512 * (1 + random() % 300));
    extents.push_back({begin, length, random() % 2 == 0, random() % 3 == 0});
    begin += length;
  }
  return extents;
}

TEST(ClusterPlan, plans_of_random_extents_agree_with_the_rule) {
  const std::uint64_t seed = std::random_device{}();
  RecordProperty("seed", std::to_string(seed));
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 2000; ++round) {
    const std::uint32_t unit = 4096U << (random() % 6);
    const std::uint64_t begin = unit * (random() % 4);
    const std::uint64_t end = begin + 512 * (1 + random() % 4000);
    const bool incremental = random() % 2 == 0;
    const auto extents = random_extents(random, begin, end);
    const ClusterPlan plan = plan_clusters(extents, unit, end, incremental);
    ASSERT_EQ(fates_of(plan, begin, end, unit), fates_by_the_rule(extents, begin, end, unit, incremental));
  }
}

TEST(ClusterPlan, the_comparison_notices_a_plan_that_misses_a_cluster) {
  const std::vector<source::Extent> extents{{0, 3 * 65536, false, true}};
  ClusterPlan plan = plan_clusters(extents, 65536, 3 * 65536, true);
  plan.read.front().length -= 65536;
  EXPECT_NE(fates_of(plan, 0, 3 * 65536, 65536), fates_by_the_rule(extents, 0, 3 * 65536, 65536, true));
}

TEST(ClusterPlan, a_changed_byte_range_takes_its_whole_cluster_and_no_other) {
  const std::vector<source::Extent> extents{{0, 65536 + 512, false, false},
                                            {65536 + 512, 512, false, true},
                                            {65536 + 1024, 2 * 65536 - 1024, false, false}};
  const ClusterPlan plan = plan_clusters(extents, 65536, 3 * 65536, true);
  ASSERT_EQ(plan.read.size(), 1U);
  EXPECT_EQ(plan.read[0].offset, 65536U);
  EXPECT_EQ(plan.read[0].length, 65536U);
}

TEST(ClusterPlan, an_area_that_changed_to_zeros_is_an_explicit_zero_in_an_increment_and_nothing_in_a_full) {
  const std::vector<source::Extent> extents{{0, 65536, true, true}};
  EXPECT_EQ(plan_clusters(extents, 65536, 65536, true).zero.size(), 1U);
  const ClusterPlan full = plan_clusters(extents, 65536, 65536, false);
  EXPECT_TRUE(full.zero.empty());
  EXPECT_TRUE(full.read.empty());
}

}  // namespace
}  // namespace holdfast::capture
