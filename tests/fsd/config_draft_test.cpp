#include "fsd/tree/config_draft.h"

#include <gtest/gtest.h>

namespace holdfast::tree {
namespace {

using Step = ConfigDraft::Step;

TEST(ConfigDraft, an_untouched_draft_shows_the_file_and_commits_nothing) {
  ConfigDraft draft("{}\n");
  EXPECT_EQ(draft.text(), "{}\n");
  EXPECT_EQ(draft.at_flush(true), Step::nothing);
}

// A shell's `>` flushes before it writes.
TEST(ConfigDraft, an_emptied_draft_commits_nothing_until_it_is_written) {
  ConfigDraft draft("{}\n");
  ASSERT_TRUE(draft.truncate(0));
  EXPECT_EQ(draft.at_flush(true), Step::nothing);
  EXPECT_EQ(draft.text(), "");
  ASSERT_TRUE(draft.write(0, "{\"a\":1}", false));
  EXPECT_EQ(draft.at_flush(true), Step::commit);
  EXPECT_EQ(draft.text(), "{\"a\":1}");
}

TEST(ConfigDraft, a_committed_text_is_not_committed_again) {
  ConfigDraft draft("");
  ASSERT_TRUE(draft.write(0, "{}", false));
  draft.committed();
  EXPECT_EQ(draft.at_flush(true), Step::nothing);
  EXPECT_FALSE(draft.pending());
}

TEST(ConfigDraft, a_write_after_a_commit_is_committed_too_unless_it_adds_blanks_alone) {
  ConfigDraft draft("");
  ASSERT_TRUE(draft.write(0, "{}", false));
  draft.committed();
  ASSERT_TRUE(draft.write(2, "\n", false));
  EXPECT_EQ(draft.at_write(), Step::nothing);
  EXPECT_EQ(draft.at_flush(true), Step::nothing);
  ASSERT_TRUE(draft.truncate(0));
  ASSERT_TRUE(draft.write(0, "[]", false));
  EXPECT_EQ(draft.at_write(), Step::commit);
}

TEST(ConfigDraft, a_text_written_from_its_beginning_is_judged_once_it_is_whole_or_cannot_become_so) {
  ConfigDraft draft("{\"a\":1}");
  ASSERT_TRUE(draft.truncate(0));
  for (const auto& [piece, step] : {std::pair{"\n", Step::nothing}, std::pair{"{\"a\":", Step::wait},
                                    std::pair{"2}\n", Step::commit}, std::pair{"}", Step::commit}}) {
    ASSERT_TRUE(draft.write(draft.text().size(), piece, false));
    EXPECT_EQ(draft.at_write(), step) << piece;
  }
}

TEST(ConfigDraft, a_refused_write_is_taken_back) {
  ConfigDraft draft("");
  ASSERT_TRUE(draft.write(0, "\n", false));
  ASSERT_TRUE(draft.write(1, "{\"x\":1}", false));
  draft.refused();
  EXPECT_EQ(draft.text(), "\n");
  EXPECT_EQ(draft.at_flush(true), Step::nothing);
  ASSERT_TRUE(draft.write(1, "{}", false));
  EXPECT_EQ(draft.text(), "\n{}");
  EXPECT_EQ(draft.at_write(), Step::commit);
}

TEST(ConfigDraft, many_refused_and_accepted_pieces_leave_what_was_accepted) {
  ConfigDraft draft("");
  for (const char* piece : {"{\"a\":", "[1,", "2"}) {
    ASSERT_TRUE(draft.write(draft.text().size(), piece, false));
    EXPECT_EQ(draft.at_write(), Step::wait);
    const std::string accepted{draft.text()};
    for (const char* wrong : {"}", "!", "2}"}) {
      ASSERT_TRUE(draft.write(draft.text().size(), wrong, false));
      EXPECT_EQ(draft.at_write(), Step::commit) << wrong;
      draft.refused();
      EXPECT_EQ(draft.text(), accepted);
    }
  }
  ASSERT_TRUE(draft.write(draft.text().size(), "]}", false));
  EXPECT_EQ(draft.at_write(), Step::commit);
  EXPECT_EQ(draft.text(), "{\"a\":[1,2]}");
}

TEST(ConfigDraft, a_new_text_over_the_whole_old_one_is_judged_in_its_write_and_a_shorter_one_at_flush) {
  ConfigDraft draft("");
  ASSERT_TRUE(draft.write(0, "{\"a\":1}", false));
  draft.committed();
  ASSERT_TRUE(draft.write(0, "{\"a\":12}", false));
  EXPECT_EQ(draft.at_write(), Step::commit);
  draft.refused();
  EXPECT_EQ(draft.text(), "{\"a\":1}");
  ASSERT_TRUE(draft.write(0, "{}", false));
  EXPECT_EQ(draft.at_write(), Step::nothing) << "the rest of the old text may still be cut off";
  ASSERT_TRUE(draft.truncate(2));
  EXPECT_EQ(draft.at_flush(true), Step::commit);
  EXPECT_EQ(draft.text(), "{}");
}

TEST(ConfigDraft, a_change_in_the_middle_and_a_text_with_a_gap_are_judged_at_flush) {
  ConfigDraft in_the_middle("{\"a\":1}");
  ASSERT_TRUE(in_the_middle.write(5, "2", false));
  EXPECT_EQ(in_the_middle.at_write(), Step::nothing);
  EXPECT_EQ(in_the_middle.at_flush(true), Step::commit);
  ConfigDraft with_a_gap("");
  ASSERT_TRUE(with_a_gap.write(1, "}", false));
  EXPECT_EQ(with_a_gap.at_write(), Step::nothing);
}

// { echo '{'; cat body; echo '}'; } > config.json: cat closes the file in the middle.
TEST(ConfigDraft, incomplete_json_waits_when_another_process_closes_it) {
  ConfigDraft draft("");
  ASSERT_TRUE(draft.write(0, "{\n", false));
  EXPECT_EQ(draft.at_flush(false), Step::wait);
  EXPECT_TRUE(draft.pending());
  ASSERT_TRUE(draft.write(2, "}\n", false));
  EXPECT_EQ(draft.at_flush(true), Step::commit);
}

TEST(ConfigDraft, incomplete_json_is_committed_when_the_opener_closes_it) {
  ConfigDraft draft("");
  ASSERT_TRUE(draft.write(0, "{", false));
  EXPECT_EQ(draft.at_flush(true), Step::commit);
}

TEST(ConfigDraft, wrong_json_is_committed_when_another_process_closes_it) {
  ConfigDraft draft("");
  ASSERT_TRUE(draft.write(0, "{x", false));
  EXPECT_EQ(draft.at_flush(false), Step::commit);
}

TEST(ConfigDraft, a_write_into_the_middle_changes_the_old_text) {
  ConfigDraft draft("{\"a\":1}");
  ASSERT_TRUE(draft.write(5, "2", false));
  EXPECT_EQ(draft.text(), "{\"a\":2}");
}

TEST(ConfigDraft, appended_text_becomes_a_new_document) {
  ConfigDraft draft("{\"a\":1}\n");
  ASSERT_TRUE(draft.write(8, "{\"a\":", true));
  ASSERT_TRUE(draft.write(8, "2}", true));
  EXPECT_EQ(draft.text(), "{\"a\":2}");
}

TEST(ConfigDraft, truncation_cuts_the_text) {
  ConfigDraft draft("{\"a\":1}\n");
  ASSERT_TRUE(draft.write(0, "{}", false));
  ASSERT_TRUE(draft.truncate(2));
  EXPECT_EQ(draft.text(), "{}");
}

TEST(ConfigDraft, a_text_beyond_the_limit_is_refused_with_efbig) {
  ConfigDraft draft("");
  EXPECT_EQ(draft.write(ConfigDraft::kLargest, "x", false).error().code, EFBIG);
  EXPECT_EQ(draft.write(~0ull, "x", false).error().code, EFBIG);
  EXPECT_EQ(draft.truncate(ConfigDraft::kLargest + 1).error().code, EFBIG);
  EXPECT_FALSE(draft.touched());
}

}  // namespace
}  // namespace holdfast::tree
