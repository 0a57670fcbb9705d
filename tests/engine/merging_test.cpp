// Tests which layers are merged: chains stay short, and little is written.
#include "engine/retention/merging.h"

#include <gtest/gtest.h>

#include <numeric>

namespace holdfast::retention {
namespace {

constexpr std::uint64_t kCaptured = 1000;

TEST(ChooseRun, a_short_chain_is_left_alone) {
  EXPECT_FALSE(choose_run(std::vector<bool>(60, true), std::vector<std::uint64_t>(60, 1)));
  std::vector<bool> shown(60, false);
  shown[0] = true;
  EXPECT_FALSE(choose_run(shown, std::vector<std::uint64_t>(60, 1)));
}

TEST(ChooseRun, neither_the_lowest_layer_nor_a_shown_one_below_the_newest_is_merged) {
  std::vector<bool> shown(61, true);
  EXPECT_FALSE(choose_run(shown, std::vector<std::uint64_t>(61, 1)));
  shown[60] = false;
  EXPECT_FALSE(choose_run(shown, std::vector<std::uint64_t>(61, 1)));
  shown[59] = false;
  EXPECT_EQ(choose_run(shown, std::vector<std::uint64_t>(61, 1)), (retention::Run{58, 59}));
}

// Captures never overlap here, which makes merges write the most.
TEST(ChooseRun, a_year_of_daily_points_stays_short_and_merging_writes_less) {
  constexpr std::size_t kKept = 30;
  std::vector<std::uint64_t> bytes{kCaptured * 100};
  std::uint64_t written = 0;
  std::size_t deepest = 0;
  for (int day = 0; day < 365; ++day) {
    bytes.insert(bytes.begin(), kCaptured);
    deepest = std::max(deepest, bytes.size());
    for (;;) {
      std::vector<bool> shown(bytes.size(), false);
      for (std::size_t i = 0; i < std::min(kKept, shown.size()); ++i) shown[i] = true;
      const auto run = choose_run(shown, bytes);
      if (!run) break;
      const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(run->newest);
      const auto end = bytes.begin() + static_cast<std::ptrdiff_t>(run->oldest) + 1;
      *begin = std::accumulate(begin, end, std::uint64_t{0});
      written += *begin;
      bytes.erase(begin + 1, end);
    }
  }
  EXPECT_LE(deepest, 64u);
  EXPECT_LE(written, 365 * kCaptured * 3 / 2);
}

}  // namespace
}  // namespace holdfast::retention
