// The command line of holdfastd.
#pragma once

#include <string>

#include "catalog/base/error.h"

namespace holdfast {

struct Options {
  enum class Task { serve, show_help, show_version };
  Task task = Task::serve;
  std::string state = "/var/lib/holdfast";
  std::string config;  // a file; "": the built-in defaults
  std::string mount_point;
  bool foreground = false;
  bool debug = false;
};

Result<Options> parse_options(int count, char** words);
std::string usage();

}  // namespace holdfast
