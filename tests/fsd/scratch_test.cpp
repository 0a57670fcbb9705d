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
  Holdings holdings_;
  Scratches scratches_{clock_, holdings_};
  const TreeNode here_{3, 17, 0}, elsewhere_{3, 18, 0};
};

TEST_F(ScratchesTest, a_file_is_found_in_its_directory_only) {
  const Id id = *create("a");
  EXPECT_EQ(scratches_.find(here_, "a"), id);
  EXPECT_EQ(scratches_.find(elsewhere_, "a"), 0);
  EXPECT_EQ(scratches_.list(here_).size(), 1u);
  EXPECT_TRUE(scratches_.list(elsewhere_).empty());
}

TEST_F(ScratchesTest, a_renamed_file_replaces_the_one_of_that_name) {
  const Id a = *create("a"), b = *create("b");
  scratches_.rename(a, "b");
  EXPECT_EQ(scratches_.find(here_, "b"), a);
  EXPECT_EQ(scratches_.get(b), nullptr);
  scratches_.rename(a, "b");
  EXPECT_EQ(scratches_.find(here_, "b"), a);
}

TEST_F(ScratchesTest, a_removed_file_stays_usable_while_it_is_open) {
  const Id id = *create("a");
  const auto open = scratches_.get(id);
  scratches_.remove(id);
  EXPECT_TRUE(open->write(0, "x", false));
  EXPECT_EQ(open->text(), "x");
}

TEST_F(ScratchesTest, a_user_with_too_many_files_gets_edquot) {
  Result<Id> made = Id{0};
  for (int i = 0; i < 1000 && made; ++i) made = create(fmt::format("f{}", i));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, EDQUOT);
  EXPECT_TRUE(create("other", 1001));
}

TEST_F(ScratchesTest, a_user_with_too_much_in_deleted_files_that_are_open_gets_edquot_until_one_is_closed) {
  std::vector<std::shared_ptr<Scratch>> open;
  Result<> written;
  for (std::size_t i = 0; i < 2 * Holdings::kMostBytes / Scratch::kLargest && written; ++i) {
    const Id id = *create("a");
    open.push_back(scratches_.get(id));
    scratches_.remove(id);
    written = open.back()->truncate(Scratch::kLargest);
  }
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, EDQUOT);
  EXPECT_EQ(open.size(), Holdings::kMostBytes / Scratch::kLargest + 1);
  EXPECT_EQ(open.back()->state().size, 0u) << "a refused change changes nothing";
  EXPECT_EQ(open.back()->write(0, std::string(4096, 'x'), false).error().code, EDQUOT);
  EXPECT_TRUE(scratches_.get(*create("other", 1001))->truncate(Scratch::kLargest)) << "another user";
  open.front().reset();
  EXPECT_TRUE(open.back()->write(0, std::string(4096, 'x'), false));
}

TEST_F(ScratchesTest, an_old_file_expires_unless_it_is_open) {
  const Id left = *create("left"), held = *create("held");
  const auto open = scratches_.get(held);
  clock_.advance(std::chrono::minutes(16));
  ASSERT_TRUE(create("new"));
  EXPECT_EQ(scratches_.get(left), nullptr);
  EXPECT_NE(scratches_.get(held), nullptr);
}

TEST_F(ScratchesTest, a_file_is_written_anywhere_and_truncated) {
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
