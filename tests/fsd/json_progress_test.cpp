// Tests of a JSON text that arrives in pieces, against a parser that sees it whole.
#include "fsd/tree/json_progress.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/lib/random.h"

namespace holdfast::tree {
namespace {

using State = JsonProgress::State;

// The library's parser, which tells where a text stops being JSON.
class WhereWrong final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    position_ = position;
    return false;
  }
  std::size_t position() const { return position_; }

 private:
  std::size_t position_ = 0;
};

State truth(std::string_view text) {
  WhereWrong where;
  if (nlohmann::json::sax_parse(text, &where)) return State::whole;
  // The parser counts the end of the text as one more character that it has read.
  return where.position() > text.size() ? State::incomplete : State::wrong;
}

State state_of(std::string_view text) {
  JsonProgress progress;
  progress.feed(text);
  return progress.state();
}

TEST(JsonProgress, the_beginning_of_a_document_is_incomplete) {
  for (const char* text :
       {"", " \n", "{", "{\n", "{ \"a\"", "{\"a\":", "{\"a\": 12", "{\"a\": tru", "[1,", "\"abc", "-", "1.",
        "1e", "\"\\", "\"\\u12", "\"\\ud800", "\"\\ud800\\", "\"\xe2\x82"}) {
    EXPECT_EQ(state_of(text), State::incomplete) << text;
    EXPECT_EQ(truth(text), State::incomplete) << text;
  }
}

TEST(JsonProgress, whole_and_wrong_documents_are_told_apart) {
  for (const char* text :
       {"{}", "{\"a\":1}\n", " [1, -2.5e+3, true, null, \"\\ud83d\\ude00 \xe2\x82\xac\"] ", "0", "12"}) {
    EXPECT_EQ(state_of(text), State::whole) << text;
    EXPECT_EQ(truth(text), State::whole) << text;
  }
  for (const char* text :
       {"{x",         "{\"a\" 1",       "]",      "{}x",    "{}{",   "nul!",      "01",
        "[1 2]",      "{\"a\":}",       "[,",     "\"\n\"", "\"\\x", "\"\\udc00", "\"\\ud800x",
        "\"\xc0\xaf", "\"\xed\xa0\x80", "\"\xf5", "-x",     "1.x",   "{1"}) {
    EXPECT_EQ(state_of(text), State::wrong) << text;
    EXPECT_EQ(truth(text), State::wrong) << text;
  }
}

TEST(JsonProgress, a_text_that_is_nested_too_deeply_counts_as_wrong) {
  EXPECT_EQ(state_of(std::string(JsonProgress::kDeepest, '[')), State::incomplete);
  EXPECT_EQ(state_of(std::string(JsonProgress::kDeepest + 1, '[')), State::wrong);
}

// Makes a token of the last byte, if one may begin with it. The parser of whole texts does not see that a
// token is at the wrong place before it has all of the token.
std::string with_last_token_whole(std::string_view text) {
  std::string whole{text.substr(0, text.size() - 1)};
  switch (text.back()) {
    case '"': return whole + "\"\"";
    case '-': return whole + "-0";
    case 't': return whole + "true";
    case 'f': return whole + "false";
    case 'n': return whole + "null";
    default: return std::string{text};
  }
}

// A random document. Numbers are small, because the parser refuses those that no double holds.
std::string document(test::Random& random, int depth) {
  const auto text = [&] {
    static constexpr const char* kPieces[] = {"a",   "\xc3\xa9",      "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                                              "\\n", "\\u00e9",       "\\\"",         " ",
                                              "{",   "\\ud83d\\ude00"};
    std::string made = "\"";
    for (auto i = random.below(4); i > 0; --i) made += kPieces[random.below(std::size(kPieces))];
    return made + "\"";
  };
  const auto kind = random.below(depth > 0 ? 8 : 6);
  static constexpr const char* kOthers[] = {"true", "false", "null", "-0", "12.5e-3", "407"};
  if (kind < 3) return text();
  if (kind < 6) return kOthers[random.below(std::size(kOthers))];
  std::string made = kind == 6 ? "[" : "{";
  const auto count = random.below(4);
  for (std::uint64_t i = 0; i < count; ++i) {
    if (i > 0) made += random.below(2) == 0 ? "," : " ,\n";
    if (kind == 7) made += text() + (random.below(2) == 0 ? ":" : "\t: ");
    made += document(random, depth - 1);
  }
  return made + (kind == 6 ? "]" : "}");
}

TEST(JsonProgress, each_beginning_of_random_texts_is_judged_as_by_the_parser_of_whole_texts) {
  test::Random random;
  int seen[3] = {};
  for (int round = 0; round < 2000; ++round) {
    std::string text = document(random, 4);
    for (auto i = random.below(3); i > 0 && !text.empty(); --i) {  // most are damaged
      const auto at = random.below(text.size());
      static constexpr std::string_view kBytes = "{}[]\",:\\u0eE.-+ \n\tx\x80\xff";
      const char byte = kBytes[random.below(kBytes.size())];
      if (random.below(2) == 0)
        text[at] = byte;
      else
        text.insert(at, 1, byte);
    }
    JsonProgress progress;
    for (std::size_t end = 0; end <= text.size(); ++end) {
      const std::string_view beginning = std::string_view{text}.substr(0, end);
      const State expected = truth(beginning);
      ++seen[static_cast<int>(expected)];
      if (progress.state() == State::wrong) {
        ASSERT_TRUE(expected == State::wrong || truth(with_last_token_whole(beginning)) == State::wrong)
            << beginning;
        break;
      }
      ASSERT_EQ(progress.state(), expected) << beginning;
      if (end < text.size()) progress.feed(std::string_view{text}.substr(end, 1));
    }
    ASSERT_EQ(state_of(text), progress.state()) << text;  // all at once
  }
  for (const int count : seen) EXPECT_GT(count, 1000);
}

}  // namespace
}  // namespace holdfast::tree
