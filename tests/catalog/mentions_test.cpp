// Names in sentences (law 19): a reader is told a sentence without the names of hidden objects.
#include "catalog/model/mentions.h"

#include <gtest/gtest.h>

#include "catalog/model/hidden_fields.h"

namespace holdfast::test {
namespace {

// Machine h and flow h are hidden; m, f, g and r are seen; other objects don't exist.
std::optional<bool> only_h_is_hidden(const std::string& path) {
  const std::string name = path.substr(path.find('/') + 1);
  if (name == "h") return false;
  return name == "m" || name == "f" || name == "g" || name == "r" ? std::optional{true} : std::nullopt;
}

std::string told(std::string_view sentence, Sentence age = Sentence::is_new) {
  return without_names(sentence, age, only_h_is_hidden);
}

TEST(Mentions, a_hidden_name_in_quotes_is_left_out) {
  EXPECT_EQ(told("machine 'h' is used by flow 'f'"), "machine '…' is used by flow 'f'");
  EXPECT_EQ(told("machine 'm' is used by flow 'h'; wait"), "machine 'm' is used by flow '…'; wait");
}

TEST(Mentions, each_name_of_a_list_is_judged) {
  EXPECT_EQ(told("used by flow 'f', 'h', 'g' and 3 more"), "used by flow 'f', '…', 'g' and 3 more");
  EXPECT_EQ(told("flow 'f' after 'h' after 'f'"), "flow 'f' after '…' after 'f'");
}

TEST(Mentions, a_hidden_path_is_left_out_with_all_below_it) {
  EXPECT_EQ(told("machines/h/points/2026-11-20T02-00-00Z, disk-0: bad"), "machines/…, disk-0: bad");
  EXPECT_EQ(told("rmdir flows/h"), "rmdir flows/…");
  EXPECT_EQ(told("../../../machines/h."), "../../../machines/…");
  EXPECT_EQ(told("machines/m/points/P: it stays"), "machines/m/points/P: it stays");
}

TEST(Mentions, other_words_and_names_stay) {
  for (const std::string_view text :
       {"", "machines/", "machine h", "submachines/h", "machine '", "machine 'h", "machine '/h'", "flows/x/y",
        "the machine 'x' waits", "flow 'f'"})
    EXPECT_EQ(told(text), text);
}

TEST(Mentions, a_name_without_an_object_is_left_out_of_old_sentences_alone) {
  EXPECT_EQ(told("there is no machine 'x'", Sentence::is_new), "there is no machine 'x'");
  EXPECT_EQ(told("machines/x: failed", Sentence::is_old), "machines/…: failed");
}

TEST(HiddenFields, a_field_that_is_written_as_it_was_shown_keeps_its_value) {
  const std::string shown = R"({"a": "…", "b": 1, "c": ["…"]})",
                    present = R"({"a": "x", "b": 1, "c": ["y"]})";
  EXPECT_EQ(*with_hidden_fields(R"({"a": "…", "b": 2})", shown, present), R"({"a":"x","b":2})");
  EXPECT_EQ(*with_hidden_fields(R"({"c": ["…"], "a": "z"})", shown, present), R"({"c":["y"],"a":"z"})");
  EXPECT_EQ(with_hidden_fields("[]", shown, present).error().code, EINVAL);
  EXPECT_EQ(*with_hidden_fields("not looked at", present, present), "not looked at");
}

}  // namespace
}  // namespace holdfast::test
