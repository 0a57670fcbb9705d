#include "catalog/base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast {
namespace {

using namespace std::chrono_literals;

TEST(Sizes, are_read_in_bytes_and_in_units) {
  EXPECT_EQ(parse_percent("0%"), 0);
  EXPECT_EQ(parse_percent("7%"), 7);
  EXPECT_EQ(parse_percent("100%"), 100);
  for (const char* wrong : {"", "%", "7", "101%", "-1%", "1.5%", "7 %", "7%%", "99999999999999999999%"})
    EXPECT_FALSE(parse_percent(wrong)) << wrong;
  EXPECT_EQ(parse_size("0"), 0u);
  EXPECT_EQ(parse_size("4096"), 4096u);
  EXPECT_EQ(parse_size("64K"), 65536u);
  EXPECT_EQ(parse_size("64M"), 64u << 20);
  EXPECT_EQ(parse_size("2G"), 2ull << 30);
  EXPECT_EQ(parse_size("1T"), 1ull << 40);
  EXPECT_EQ(parse_size("9223372036854775807"), 9223372036854775807u);
}

TEST(Sizes, that_are_none_or_too_large_are_refused) {
  for (const char* text : {"", "K", "-1", "+1", " 1", "1 ", "1k", "1KB", "1.5G", "0x10", "1P", "8388608T",
                           "9223372036854775808", "99999999999999999999"}) {
    const auto size = parse_size(text);
    ASSERT_FALSE(size) << text;
    EXPECT_EQ(size.error().code, EINVAL);
    EXPECT_THAT(size.error().message, testing::HasSubstr(text));
  }
}

TEST(Durations, are_read_with_their_unit) {
  EXPECT_EQ(parse_duration("90s"), 90s);
  EXPECT_EQ(parse_duration("15m"), 15min);
  EXPECT_EQ(parse_duration("4h"), 4h);
  EXPECT_EQ(parse_duration("30d"), 720h);
}

TEST(Durations, without_a_unit_are_refused) {
  for (const char* text : {"", "90", "s", "-1s", "1.5h", "1w"}) EXPECT_FALSE(parse_duration(text)) << text;
}

// Added to a time, or made nanoseconds of, it would begin again from below.
TEST(Durations, beyond_a_hundred_years_are_refused) {
  EXPECT_EQ(parse_duration("36500d"), kLongestDuration);
  for (const char* text : {"36501d", "106752d", "9999999h", "9223372036854775807s", "106751991167301d"}) {
    const auto span = parse_duration(text);
    ASSERT_FALSE(span) << text;
    EXPECT_EQ(span.error().code, EINVAL);
  }
}

TEST(Durations, are_printed_in_their_largest_unit) {
  EXPECT_EQ(print_duration(24h), "24h");
  EXPECT_EQ(print_duration(48h), "2d");
  EXPECT_EQ(print_duration(90s), "90s");
  EXPECT_EQ(print_duration(15min), "15m");
  EXPECT_EQ(print_duration(0s), "0s");
}

TEST(Texts, are_told_from_what_is_no_utf8) {
  for (const std::string_view text :
       {"", "a", "caf\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x92\xbe", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(is_utf8(text)) << text;
  for (const std::string_view text :
       {"\xff", "caf\xe9", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xe2\x82", "\x80"})
    EXPECT_FALSE(is_utf8(text));
}

TEST(Names, are_letters_digits_dots_underscores_and_dashes) {
  for (const std::string& name :
       {std::string("a"), std::string("A.b_c-9"), std::string("-"), std::string(128, 'x')})
    EXPECT_TRUE(check_name(name)) << name;
}

TEST(Names, that_a_file_system_or_a_shell_could_misread_are_refused) {
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string(".a"), std::string("a/b"),
        std::string("a b"), std::string("a\n"), std::string("ä"), std::string("error"),
        std::string("a\0b", 3), std::string(129, 'x')}) {
    const auto checked = check_name(name);
    ASSERT_FALSE(checked) << name;
    EXPECT_EQ(checked.error().code, EINVAL);
  }
}

TEST(Nearest, finds_what_a_hasty_hand_meant) {
  const std::vector<std::string_view> known = {"compression", "compression_level", "path", "read_only"};
  EXPECT_EQ(nearest("compresion", known), "compression");
  EXPECT_EQ(nearest("compression_lvl", known), "compression_level");
  EXPECT_EQ(nearest("pth", known), "path");
  EXPECT_EQ(nearest("readonly", known), "read_only");
}

TEST(Nearest, does_not_guess_wildly) {
  EXPECT_EQ(nearest("colour", {"compression", "path"}), "");
  EXPECT_EQ(nearest("x", {"path"}), "");
  EXPECT_EQ(nearest("path", {}), "");
}

}  // namespace
}  // namespace holdfast
