#pragma once

#include <optional>
#include <string>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// The last boot check of each point, with a picture of its screen. Lives inside one transaction.
class BootChecks {
 public:
  explicit BootChecks(db::Connection& connection) : db_(connection) {}

  // Replaces an earlier check of the point; `screenshot` is a PNG, or "". ENOENT: there is no committed
  // point.
  Result<> set(const BootCheck& check, std::string_view screenshot);
  Result<std::optional<BootCheck>> of_point(Id point);
  Result<std::string> screenshot(Id point);  // "" if there is none
  Result<bool> has_screenshot(Id point);
  Result<std::optional<BootCheck>> newest_of(Id machine);  // points that are gone do not count
  // The last check of any point that the machine had, and the last that succeeded.
  struct Times {
    std::optional<Time> checked_at, proven_at;
  };
  Result<Times> times_of(Id machine);

 private:
  db::Connection& db_;
};

}  // namespace holdfast
