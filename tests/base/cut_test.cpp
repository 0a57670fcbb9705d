#include "catalog/base/cut.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(Cut, leaves_a_text_of_the_length_and_ends_a_longer_one_in_dots) {
  EXPECT_EQ(cut("12345678", 8), "12345678");
  EXPECT_EQ(cut("123456789", 8), "12345…");
  EXPECT_EQ(cut("", 8), "");
}

TEST(Cut, falls_between_two_characters) {
  EXPECT_EQ(cut("1234ß6789", 8), "1234…") << "ß would be cut in two";
  EXPECT_EQ(cut("123ß6789", 8), "123ß…");
  EXPECT_EQ(cut("漢漢漢", 8), "漢…");
}

TEST(OneLine, has_a_blank_for_each_control_character_and_keeps_the_others) {
  EXPECT_EQ(on_one_line("a\nb\tc\x1b[2J\x7f!"), "a b c [2J !");
  EXPECT_EQ(on_one_line("a\xc2\x9b"
                        "31m\xc2\x80"),
            "a 31m ");
  EXPECT_EQ(on_one_line("é\xc2\xa0ß漢…"), "é\xc2\xa0ß漢…") << "U+00A0 is no control character";
  EXPECT_EQ(on_one_line(std::string_view("a\0b\xc2", 4)), "a b\xc2");
}

}  // namespace
}  // namespace holdfast
