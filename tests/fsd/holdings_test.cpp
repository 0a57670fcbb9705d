// Tests of what one user may have the daemon keep in memory.
#include "fsd/tree/holdings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "fsd/tree/open_directories.h"

namespace holdfast::tree {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kAnn = 1001, kBob = 1002;

TEST(Holdings, a_user_holds_at_most_so_many_handles) {
  Holdings holdings;
  std::vector<Holdings::Share> shares;
  for (std::size_t i = 0; i < Holdings::kMostHandles; ++i) shares.push_back(*holdings.handle(kAnn));
  const auto refused = holdings.handle(kAnn);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EDQUOT);
  EXPECT_THAT(refused.error().message, HasSubstr("8192"));
  EXPECT_TRUE(holdings.handle(kBob));
  shares.pop_back();
  EXPECT_TRUE(holdings.handle(kAnn));
}

TEST(Holdings, a_user_holds_at_most_so_many_bytes_and_a_refused_share_stays_as_it_is) {
  Holdings holdings;
  auto large = *holdings.bytes(kAnn, Holdings::kMostBytes - 10);
  auto small = *holdings.bytes(kAnn, 0);
  EXPECT_TRUE(small.resize(10));
  EXPECT_EQ(small.resize(11).error().code, EDQUOT);
  EXPECT_EQ(holdings.bytes(kAnn, 1).error().code, EDQUOT);
  EXPECT_TRUE(large.resize(0));
  EXPECT_TRUE(small.resize(Holdings::kMostBytes));
  EXPECT_EQ(large.resize(1).error().code, EDQUOT);
  { const auto ended = std::move(small); }
  EXPECT_TRUE(large.resize(Holdings::kMostBytes));
}

TEST(Holdings, a_moved_share_is_given_back_once) {
  Holdings holdings;
  auto first = *holdings.bytes(kAnn, Holdings::kMostBytes);
  auto second = std::move(first);
  first = Holdings::Share();
  EXPECT_FALSE(holdings.bytes(kAnn, 1));
  second = Holdings::Share();
  EXPECT_TRUE(holdings.bytes(kAnn, Holdings::kMostBytes));
}

TEST(Holdings, root_is_not_counted) {
  Holdings holdings;
  auto share = *holdings.bytes(0, 2 * Holdings::kMostBytes);
  EXPECT_TRUE(share.resize(4 * Holdings::kMostBytes));
}

class OpenDirectoriesTest : public testing::Test {
 protected:
  static std::vector<DirectoryEntry> entries(const char* name) { return {{name, NodeKind::object, 7}}; }
  std::shared_ptr<const Listing> open(const char* name, std::uint32_t uid = kAnn,
                                      const TreeNode& node = {3, 1}) {
    return *directories_.share(node, {.uid = uid}, entries(name));
  }

  Holdings holdings_;
  OpenDirectories directories_{holdings_};
};

TEST_F(OpenDirectoriesTest, equal_listings_of_one_reader_and_directory_are_shared) {
  const auto first = open("a");
  EXPECT_EQ(open("a"), first);
  EXPECT_NE(open("a", kBob), first) << "another reader";
  EXPECT_NE(open("a", kAnn, {3, 2}), first) << "another directory";
  EXPECT_EQ(open("a"), first);
}

TEST_F(OpenDirectoriesTest, a_handle_keeps_its_listing_when_the_directory_changes) {
  const auto before = open("a");
  const auto after = open("b");
  EXPECT_EQ(before->entries, entries("a"));
  EXPECT_EQ(after->entries, entries("b"));
  EXPECT_EQ(open("b"), after);
}

TEST_F(OpenDirectoriesTest, a_listing_counts_once_for_all_its_handles_and_until_the_last_is_closed) {
  std::vector<DirectoryEntry> large;
  while (large.size() * sizeof(DirectoryEntry) < Holdings::kMostBytes * 2 / 3)
    large.resize(large.size() + 1000);
  const auto open_large = [&] { return directories_.share({3, 1}, {.uid = kAnn}, large); };
  auto first = open_large();
  ASSERT_TRUE(first);
  auto second = open_large();
  EXPECT_EQ(*first, *second);
  large.pop_back();
  EXPECT_EQ(open_large().error().code, EDQUOT);
  *first = nullptr;
  EXPECT_EQ(open_large().error().code, EDQUOT);
  *second = nullptr;
  EXPECT_TRUE(open_large());
}

}  // namespace
}  // namespace holdfast::tree
