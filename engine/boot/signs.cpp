#include "engine/boot/signs.h"

#include <fmt/format.h>

#include "catalog/base/cut.h"
#include "catalog/base/text.h"

namespace holdfast::boot {
namespace {

struct Sign {
  std::string_view words, meaning;
};

constexpr Sign kSigns[] = {
    {"No bootable device", "no bootable device"},
    {"Missing operating system", "no bootable device"},
    {"Operating system not found", "no bootable device"},
    {"Error loading operating system", "no bootable device"},
    {"Invalid partition table", "no bootable device"},
    {"BOOTMGR is missing", "the boot loader is missing"},
    {"NTLDR is missing", "the boot loader is missing"},
    {"grub rescue>", "the boot loader finds no system"},
    {"you need to load the kernel first", "the boot loader finds no system"},
    {"Kernel panic", "kernel panic"},
    {"System halted", "the kernel halted"},
    {"(initramfs) ", "the system stopped in an emergency shell"},
    {"You are in emergency mode", "the system stopped in an emergency shell"},
};

std::string_view line_around(std::string_view text, std::size_t at) {
  const std::size_t begin = text.find_last_of("\r\n", at) + 1;  // npos + 1 is 0
  return text.substr(begin, text.find_first_of("\r\n", at) - begin);
}

}  // namespace

std::optional<std::string> trouble_in(std::string_view text) {
  for (const Sign& sign : kSigns)
    if (const std::size_t at = text.find(sign.words); at != std::string_view::npos)
      return fmt::format("{}: '{}'", sign.meaning, cut(printable(line_around(text, at)), kLongestQuote));
  return std::nullopt;
}

bool is_still_firmware(std::string_view text) {
  const std::size_t end = text.find_last_not_of(" \r\n");
  if (end == std::string_view::npos) return true;
  return line_around(text, end).starts_with("Booting from ");
}

}  // namespace holdfast::boot
