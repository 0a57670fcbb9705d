// The daemon's own log, for the person who runs it: standard error, one line a message.
// Any thread may call. What users must learn goes into `error` files and events, not here.
#pragma once

#include <fmt/format.h>

#include <string_view>

namespace holdfast::log {

enum class Level { debug, info, warning, error };

void write(Level level, std::string_view line);
void set_level(Level level);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace holdfast::log
