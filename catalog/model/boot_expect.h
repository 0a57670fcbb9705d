// Proof that a system has come up, as a policy or a person asks for it: "screen", "agent", "serial:TEXT".
#pragma once

#include <string>
#include <string_view>

#include "catalog/base/error.h"
#include "catalog/model/enumerations.h"

namespace holdfast {

struct BootExpect {
  BootSign sign = BootSign::screen;
  std::string text;  // serial: the words of the line, in which * stands for any others

  bool operator==(const BootExpect&) const = default;
};

inline constexpr std::string_view kBootExpectMust =
    "\"screen\", \"agent\" or \"serial:\" with a text of a line";

Result<BootExpect> parse_boot_expect(std::string_view text);
std::string print_boot_expect(const BootExpect& expect);

}  // namespace holdfast
