// Tests of what a boot check reads out of texts and pictures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalog/model/boot_expect.h"
#include "engine/boot/picture.h"
#include "engine/boot/signs.h"
#include "tests/lib/must.h"

namespace holdfast::boot {
namespace {

using test::must;

using testing::HasSubstr;
using testing::Optional;

TEST(BootSigns, trouble_is_told_with_its_line) {
  EXPECT_THAT(trouble_in("[ 1.0] x\r\n[ 1.2] Kernel panic - not syncing: VFS\r\n[ 1.3] CPU: 0\r\n"),
              Optional(std::string("kernel panic: '[ 1.2] Kernel panic - not syncing: VFS'")));
  EXPECT_THAT(trouble_in("enter handle_18:\nNo bootable device.\n"),
              Optional(HasSubstr("no bootable device")));
  EXPECT_THAT(trouble_in("grub rescue> "), Optional(HasSubstr("the boot loader finds no system")));
  EXPECT_EQ(trouble_in("Debian GNU/Linux 12 host ttyS0\r\n\r\nhost login: "), std::nullopt);
  EXPECT_EQ(trouble_in(""), std::nullopt);
}

TEST(BootSigns, only_the_firmwares_own_text_is_still_firmware) {
  EXPECT_TRUE(is_still_firmware("SeaBIOS (version 1.16.2)\n\n\nBooting from Hard Disk...\n   \n"));
  EXPECT_TRUE(is_still_firmware("  \n"));
  EXPECT_FALSE(is_still_firmware("SeaBIOS\nBooting from Hard Disk...\nGRUB loading.\n"));
}

Picture picture_of(std::size_t different, std::size_t width = 720, std::size_t height = 400) {
  Picture picture{width, height, std::string(width * height * 3, '\0')};
  for (std::size_t i = 0; i < different; ++i) picture.pixels[picture.pixels.size() - 1 - i * 3] = '\x7f';
  return picture;
}

TEST(BootPicture, a_cursor_and_a_clock_make_no_difference) {
  EXPECT_TRUE(is_blank(picture_of(0)));
  EXPECT_TRUE(is_blank(picture_of(18)));
  EXPECT_FALSE(is_blank(picture_of(400)));
  EXPECT_TRUE(look_alike(picture_of(400), picture_of(418)));
  EXPECT_FALSE(look_alike(picture_of(400), picture_of(20'000)));
  EXPECT_FALSE(look_alike(picture_of(400), picture_of(400, 400, 720)));
}

TEST(BootPicture, what_is_no_pixmap_is_refused) {
  const std::string whole = "P6\n2 1\n255\nabcdef";
  const Picture picture = must(read_pixmap(whole));
  EXPECT_EQ(std::pair(picture.width, picture.height), std::pair(std::size_t{2}, std::size_t{1}));
  EXPECT_EQ(picture.pixels, "abcdef");
  for (const std::string& text :
       {std::string(), whole.substr(0, 10), whole.substr(0, 16), whole + "g", std::string("P6\n0 0\n255\n"),
        std::string("P5\n2 1\n255\nabcdef"), std::string("P6\n99999999999 99999999999\n255\nabcdef"),
        std::string("P6\n-1 -1\n255\nabcdef")})
    EXPECT_FALSE(read_pixmap(text)) << text;
}

TEST(BootExpects, three_proofs_are_known_and_others_refused) {
  for (const char* text : {"screen", "agent", "serial:login: ", "serial:*"})
    EXPECT_EQ(print_boot_expect(must(parse_boot_expect(text))), text);
  EXPECT_EQ(must(parse_boot_expect("serial:a:b")), (BootExpect{BootSign::serial, "a:b"}));
  for (const std::string& text :
       {std::string(), std::string("serial"), std::string("serial:"), std::string("Screen"),
        std::string("serial:a\nb"), "serial:" + std::string(257, 'a')})
    EXPECT_EQ(parse_boot_expect(text).error().code, EINVAL) << text;
}

}  // namespace
}  // namespace holdfast::boot
