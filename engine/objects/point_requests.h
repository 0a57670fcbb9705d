// Requests that change the facts of a point.
#pragma once

#include <optional>
#include <string>

#include "catalog/base/clock.h"
#include "catalog/model/enumerations.h"

namespace holdfast {

// A hold on a point.
struct PinRequest {
  std::optional<Time> until;  // absent: until it is removed
  std::string why;
};

// A user's finding about a point.
struct VerdictRequest {
  VerdictResult result = VerdictResult::good;
  std::string by;
  std::string text;
};

}  // namespace holdfast
