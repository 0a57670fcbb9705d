// Layers and chains as the stores of points and of copies share them.
#pragma once

#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

Result<> insert_layers(db::Connection& db, const std::vector<Layer>& layers);
// Removes the layers that neither a point nor a copy shows.
Result<> remove_unused_layers(db::Connection& db, const std::vector<Id>& layers);
// Removes the chain if it is empty; a missing chain is no error.
Result<> remove_empty_chain(db::Connection& db, Id chain);

// Adds points and bytes, which may be negative, to the counters of a machine, of a repository, or of both.
Result<> count_in_machine(db::Connection& db, Id machine, int points, std::int64_t bytes, Time at);
Result<> count_in_repository(db::Connection& db, Id repository, int points, std::int64_t bytes, Time at);
Result<> count_points(db::Connection& db, const Point& point, int points, std::int64_t bytes, Time at);

}  // namespace holdfast
