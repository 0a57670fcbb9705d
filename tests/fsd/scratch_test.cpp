#include "fsd/tree/scratch.h"

#include <gtest/gtest.h>

#include "tests/lib/set_clock.h"

namespace holdfast::tree {
namespace {

class ScratchesTest : public testing::Test {
 protected:
  Result<Id> create(std::string_view name, std::uint32_t uid = 1000) {
    return scratches_.create(here_, name, {.uid = uid, .gid = uid, .mode = 0600});
  }

  test::SetClock clock_{Time{}};
  Scratches scratches_{clock_};
  const TreeNode here_{3, 17, 0}, elsewhere_{3, 18, 0};
};

TEST_F(ScratchesTest, AreFoundInTheirDirectoryOnly) {
  const Id id = *create("a");
  EXPECT_EQ(scratches_.find(here_, "a"), id);
  EXPECT_EQ(scratches_.find(elsewhere_, "a"), 0);
  EXPECT_EQ(scratches_.list(here_).size(), 1u);
  EXPECT_TRUE(scratches_.list(elsewhere_).empty());
}

TEST_F(ScratchesTest, ReplaceOneAnotherWhenRenamed) {
  const Id a = *create("a"), b = *create("b");
  scratches_.rename(a, "b");
  EXPECT_EQ(scratches_.find(here_, "b"), a);
  EXPECT_EQ(scratches_.get(b), nullptr);
  scratches_.rename(a, "b");
  EXPECT_EQ(scratches_.find(here_, "b"), a);
}

TEST_F(ScratchesTest, LiveOnInOpenHandlesWhenRemoved) {
  const Id id = *create("a");
  const auto open = scratches_.get(id);
  scratches_.remove(id);
  EXPECT_TRUE(open->write(0, "x", false));
  EXPECT_EQ(open->text(), "x");
}

TEST_F(ScratchesTest, AreLimitedForEachUser) {
  Result<Id> made = Id{0};
  for (int i = 0; i < 1000 && made; ++i) made = create(fmt::format("f{}", i));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, EDQUOT);
  EXPECT_TRUE(create("other", 1001));
}

TEST_F(ScratchesTest, ExpireWhenNobodyHasThemOpen) {
  const Id left = *create("left"), held = *create("held");
  const auto open = scratches_.get(held);
  clock_.advance(std::chrono::minutes(16));
  ASSERT_TRUE(create("new"));
  EXPECT_EQ(scratches_.get(left), nullptr);
  EXPECT_NE(scratches_.get(held), nullptr);
}

TEST_F(ScratchesTest, AreWrittenAtAnyPlaceAndCut) {
  const auto file = scratches_.get(*create("a"));
  ASSERT_TRUE(file->write(2, "cd", false));
  ASSERT_TRUE(file->write(0, "ab", false));
  ASSERT_TRUE(file->write(0, "ef", true));
  EXPECT_EQ(file->text(), "abcdef");
  ASSERT_TRUE(file->truncate(3));
  EXPECT_EQ(file->text(), "abc");
  EXPECT_EQ(file->write(Scratch::kLargest, "x", false).error().code, EFBIG);
  EXPECT_EQ(file->truncate(Scratch::kLargest + 1).error().code, EFBIG);
  EXPECT_EQ(file->state().size, 3u);
}

}  // namespace
}  // namespace holdfast::tree
