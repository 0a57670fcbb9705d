// Flows by the pattern of their names.
#pragma once

#include <string_view>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Returns the flows that the caller may change and whose names match the shell's pattern. ENOENT: there is
// none. Inside a transaction.
Result<std::vector<Flow>> matching_flows(db::Connection& db, std::string_view pattern, const Caller& caller);

}  // namespace holdfast
