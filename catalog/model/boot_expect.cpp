#include "catalog/model/boot_expect.h"

#include "catalog/base/cut.h"

namespace holdfast {
namespace {

constexpr std::string_view kSerial = "serial:";
constexpr std::size_t kLongestText = 256;

}  // namespace

Result<BootExpect> parse_boot_expect(std::string_view text) {
  if (text == to_word(BootSign::screen)) return BootExpect{BootSign::screen, ""};
  if (text == to_word(BootSign::agent)) return BootExpect{BootSign::agent, ""};
  if (!text.starts_with(kSerial) || text.size() == kSerial.size())
    return fail(EINVAL, "'{}' is no proof of a boot; it must be {}", cut(text, kLongestQuote),
                kBootExpectMust);
  if (text.size() > kSerial.size() + kLongestText || text.find_first_of("\r\n") != std::string_view::npos)
    return fail(EINVAL, "the text of a line on the serial console has at most {} bytes, on one line",
                kLongestText);
  return BootExpect{BootSign::serial, std::string(text.substr(kSerial.size()))};
}

std::string print_boot_expect(const BootExpect& expect) {
  return expect.sign == BootSign::serial ? std::string(kSerial) + expect.text
                                         : std::string(to_word(expect.sign));
}

}  // namespace holdfast
