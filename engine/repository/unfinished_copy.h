// A copy that nobody goes on with.
#pragma once

#include "catalog/catalog.h"
#include "catalog/model/entities.h"
#include "engine/repository/place.h"

namespace holdfast::repository {

// What lies there of a copy on its way goes, and then its row.
Result<> give_up_copy(Catalog& catalog, const Place& place, const std::string& machine_key, const Copy& copy);

}  // namespace holdfast::repository
