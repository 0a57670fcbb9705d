// Removal of a copy that no run will complete.
#pragma once

#include "catalog/catalog.h"
#include "catalog/model/entities.h"
#include "engine/repository/place.h"

namespace holdfast::repository {

// Removes the files of an unfinished copy, then its row.
Result<> give_up_copy(Catalog& catalog, const Place& place, const std::string& machine_key, const Copy& copy);

}  // namespace holdfast::repository
