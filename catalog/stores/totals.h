#pragma once

#include "catalog/db/connection.h"

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

}  // namespace holdfast
