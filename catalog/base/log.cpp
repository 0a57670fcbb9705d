#include "catalog/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace holdfast::log {
namespace {

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warning: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
  }
  return spdlog::level::err;
}

spdlog::logger& logger() {
  static const auto instance = spdlog::stderr_logger_mt("holdfast");
  return *instance;
}

}  // namespace

void write(Level level, std::string_view line) {
  logger().log(spdlog_level(level), spdlog::string_view_t{line.data(), line.size()});
}

void set_level(Level level) { logger().set_level(spdlog_level(level)); }

}  // namespace holdfast::log
