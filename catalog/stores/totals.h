#pragma once

#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Numbers of objects and points, which triggers of the schema keep, so that no query counts rows.
struct Totals {
  std::int64_t machines = 0, repositories = 0, flows = 0;
  std::int64_t points = 0;  // copies included
  std::uint64_t bytes_stored = 0;

  bool operator==(const Totals&) const = default;
};

// Reads them in the caller's transaction.
Result<Totals> read_totals(db::Connection& connection);

// Totals of one owner, for callers who may not see everything. Copies are left out.
struct OwnedTotals {
  Ownership ownership;
  Totals totals;
};
Result<std::vector<OwnedTotals>> read_owned_totals(db::Connection& connection);

}  // namespace holdfast
