// Finds a repository for work that changes what lies there.
#pragma once

#include <memory>
#include <string_view>

#include "engine/common/services.h"
#include "engine/repository/place.h"

namespace holdfast::repository {

// Returns EROFS if the repository is read-only, EBUSY without its lease, and the shelf's error if it is away.
// `undone` ends the sentence "nothing is … there": "deleted".
Result<std::shared_ptr<Place>> leased_place(const capture::Services& services, const Repository& repository,
                                            std::string_view undone);
// Returns EROFS also if the catalog lacks commits of the repository, and ESTALE if the repository is older
// than the catalog.
Result<std::shared_ptr<Place>> writable_place(const capture::Services& services, const Repository& repository,
                                              std::string_view undone);

}  // namespace holdfast::repository
