#pragma once

#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// How many there are of what. Kept by triggers of the schema, so that nobody counts rows.
struct Totals {
  std::int64_t machines = 0, repositories = 0, flows = 0;
  std::int64_t points = 0;  // copies included
  std::uint64_t bytes_stored = 0;

  bool operator==(const Totals&) const = default;
};

// In the transaction of whoever asks.
Result<Totals> read_totals(db::Connection& connection);

// The same, of what each owner has: for whoever may not see all of it. Copies are not in it.
struct OwnedTotals {
  Ownership ownership;
  Totals totals;
};
Result<std::vector<OwnedTotals>> read_owned_totals(db::Connection& connection);

}  // namespace holdfast
