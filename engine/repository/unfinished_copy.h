// Removal of a copy that no run will complete.
#pragma once

#include "catalog/model/entities.h"
#include "engine/common/services.h"
#include "engine/repository/place.h"

namespace holdfast::repository {

// Removes the files of an unfinished copy, then its row.
Result<> give_up_copy(const capture::Services& services, const Place& place, const std::string& machine_key,
                      const Copy& copy);

// Tells who has published a point or a copy that is not committed.
Result<Place::Publisher> publisher_of(const capture::Services& services, const Place& place, Id repository,
                                      Id id);

}  // namespace holdfast::repository
