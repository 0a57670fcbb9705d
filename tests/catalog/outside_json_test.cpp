// Tests the limits of JSON from outside.
#include "catalog/model/outside_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::test {
namespace {

using json::parse_outside;
using ::testing::HasSubstr;

std::string nested(std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

std::string of_values(std::size_t count) {
  std::string text = "[0";
  for (std::size_t i = 2; i < count; ++i) text += ",0";  // the list is a value, too
  return text + "]";
}

TEST(OutsideJson, honest_text_is_parsed) {
  const auto parsed = parse_outside(R"({"return": {"names": ["a", "ä"], "size": 18446744073709551615}})");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->at("return").at("size"), 18446744073709551615ULL);
}

TEST(OutsideJson, text_nested_deeper_than_64_levels_is_refused) {
  EXPECT_TRUE(parse_outside(nested(64)));
  for (const std::size_t levels : {65UL, 500'000UL}) {
    const auto refused = parse_outside(nested(levels));
    ASSERT_FALSE(refused) << levels;
    EXPECT_EQ(refused.error().code, EPROTO);
    EXPECT_THAT(refused.error().message, HasSubstr("nested deeper than 64 levels"));
  }
}

TEST(OutsideJson, text_of_more_than_200000_values_is_refused) {
  EXPECT_TRUE(parse_outside(of_values(200'000)));
  const auto refused = parse_outside(of_values(200'001));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("more than 200000 values"));
}

TEST(OutsideJson, other_text_is_refused_with_its_beginning) {
  const auto refused = parse_outside("hello " + std::string(1'000'000, 'x'));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("this is no JSON: 'hello x"));
  EXPECT_LT(refused.error().message.size(), 300);
}

TEST(OutsideJson, text_that_ends_too_early_is_refused) { EXPECT_FALSE(parse_outside(R"({"return": )")); }

}  // namespace
}  // namespace holdfast::test
