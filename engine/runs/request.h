// What a user asks of a flow when he runs it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/model/enumerations.h"

namespace holdfast {

struct RunRequest {
  std::string name;               // of the execution; empty: one is made from the time
  std::optional<PointKind> kind;  // empty: auto
  std::vector<std::string> machines;
  std::string by;  // an automation's own name: makes the execution `api`
};

}  // namespace holdfast
