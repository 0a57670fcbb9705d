#include <algorithm>

#include "fsd/views/json.h"
#include "fsd/views/views.h"

namespace holdfast::views {

std::string log_line(const LogLine& line) {
  std::string text =
      line.machine.empty() ? line.text : fmt::format("machines/{}: {}", line.machine, line.text);
  // A message of another program may have control characters; a log line stays one line.
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < ' '; }, ' ');
  return fmt::format("{} {}\n", iso_time(line.at), text);
}

}  // namespace holdfast::views
