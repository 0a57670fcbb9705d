#include "fsd/tree/config_draft.h"

#include <gtest/gtest.h>

namespace holdfast::tree {
namespace {

using Step = ConfigDraft::Step;

TEST(Incomplete, IsJsonThatMayYetBeCompleted) {
  for (const char* text :
       {"", "{", "{\n", "{ \"a\"", "{\"a\":", "{\"a\": 12", "{\"a\": tru", "[1,", "\"abc", "{}{"})
    EXPECT_EQ(is_incomplete_json(text), std::string_view{text} != "{}{") << text;
}

TEST(Incomplete, IsNotWhatIsWholeOrWrong) {
  for (const char* text : {"{}", "{\"a\":1}\n", "{x", "{\"a\" 1", "]", "{}x", "nul!"})
    EXPECT_FALSE(is_incomplete_json(text)) << text;
}

TEST(ConfigDraft, ThatNobodyWroteToShowsTheFileAndHasNothingToCommit) {
  const ConfigDraft draft("{}\n");
  EXPECT_EQ(draft.text(), "{}\n");
  EXPECT_EQ(draft.at_flush(true), Step::nothing);
}

// A shell's `>`: it flushes before it writes.
TEST(ConfigDraft, ThatWasEmptiedHasNothingToCommitUntilItIsWrittenTo) {
  ConfigDraft draft("{}\n");
  ASSERT_TRUE(draft.truncate(0));
  EXPECT_EQ(draft.at_flush(true), Step::nothing);
  EXPECT_EQ(draft.text(), "");
  ASSERT_TRUE(draft.write(0, "{\"a\":1}", false));
  EXPECT_EQ(draft.at_flush(true), Step::commit);
  EXPECT_EQ(draft.text(), "{\"a\":1}");
}

TEST(ConfigDraft, IsCommittedOnce) {
  ConfigDraft draft("");
  ASSERT_TRUE(draft.write(0, "{}", false));
  draft.committed();
  EXPECT_EQ(draft.at_flush(true), Step::nothing);
  EXPECT_FALSE(draft.pending());
}

TEST(ConfigDraft, GoesOnAfterACommit) {
  ConfigDraft draft("");
  ASSERT_TRUE(draft.write(0, "{}", false));
  draft.committed();
  ASSERT_TRUE(draft.write(2, "\n", false));
  EXPECT_EQ(draft.at_flush(true), Step::commit);
  EXPECT_EQ(draft.text(), "{}\n");
}

// { echo '{'; cat body; echo '}'; } > config.json: cat closes it in the middle.
TEST(ConfigDraft, WaitsWhenAnotherProcessClosesItIncomplete) {
  ConfigDraft draft("");
  ASSERT_TRUE(draft.write(0, "{\n", false));
  EXPECT_EQ(draft.at_flush(false), Step::wait);
  EXPECT_TRUE(draft.pending());
  ASSERT_TRUE(draft.write(2, "}\n", false));
  EXPECT_EQ(draft.at_flush(true), Step::commit);
}

TEST(ConfigDraft, IsTriedWhenTheOpenerClosesItIncomplete) {
  ConfigDraft draft("");
  ASSERT_TRUE(draft.write(0, "{", false));
  EXPECT_EQ(draft.at_flush(true), Step::commit);
}

TEST(ConfigDraft, IsTriedWhenAnotherProcessClosesWhatIsPlainlyWrong) {
  ConfigDraft draft("");
  ASSERT_TRUE(draft.write(0, "{x", false));
  EXPECT_EQ(draft.at_flush(false), Step::commit);
}

TEST(ConfigDraft, ChangesTheMiddleOfWhatTheFileHolds) {
  ConfigDraft draft("{\"a\":1}");
  ASSERT_TRUE(draft.write(5, "2", false));
  EXPECT_EQ(draft.text(), "{\"a\":2}");
}

TEST(ConfigDraft, TakesWhatIsAppendedAsANewDocument) {
  ConfigDraft draft("{\"a\":1}\n");
  ASSERT_TRUE(draft.write(8, "{\"a\":", true));
  ASSERT_TRUE(draft.write(8, "2}", true));
  EXPECT_EQ(draft.text(), "{\"a\":2}");
}

TEST(ConfigDraft, IsCutWhereItIsTold) {
  ConfigDraft draft("{\"a\":1}\n");
  ASSERT_TRUE(draft.write(0, "{}", false));
  ASSERT_TRUE(draft.truncate(2));
  EXPECT_EQ(draft.text(), "{}");
}

TEST(ConfigDraft, HasALimit) {
  ConfigDraft draft("");
  EXPECT_EQ(draft.write(ConfigDraft::kLargest, "x", false).error().code, EFBIG);
  EXPECT_EQ(draft.write(~0ull, "x", false).error().code, EFBIG);
  EXPECT_EQ(draft.truncate(ConfigDraft::kLargest + 1).error().code, EFBIG);
  EXPECT_FALSE(draft.touched());
}

}  // namespace
}  // namespace holdfast::tree
