#pragma once

#include <optional>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// The bytes stored in each repository on each of the last days with a change. Lives inside one transaction.
class RepositorySizes {
 public:
  static constexpr std::chrono::days kKept{30};

  explicit RepositorySizes(db::Connection& connection) : db_(connection) {}

  // Records the present size as the one of that day, and forgets what is older than kKept.
  Result<> note(Id repository, Time at);

  struct Growth {
    Time since{};
    std::int64_t bytes = 0;  // negative where it has become smaller
  };
  // Returns the growth since the oldest size of the last days; nullopt while none is older than a day.
  Result<std::optional<Growth>> growth(Id repository, Time now);

 private:
  db::Connection& db_;
};

}  // namespace holdfast
