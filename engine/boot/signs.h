// Signs that a system will not come up, in texts that it or its firmware prints.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace holdfast::boot {

// Returns the first sign of trouble with the line that shows it: "kernel panic: 'Kernel panic - not syncing:
// …'".
std::optional<std::string> trouble_in(std::string_view text);

// Whether nothing has followed the firmware's word that it hands over to a disk.
bool is_still_firmware(std::string_view text_on_screen);

}  // namespace holdfast::boot
