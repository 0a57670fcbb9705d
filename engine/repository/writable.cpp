#include "engine/repository/writable.h"

#include "engine/repository/sequence.h"
#include "engine/repository/shelf.h"

namespace holdfast::repository {

Result<std::shared_ptr<Place>> leased_place(const capture::Services& services, const Repository& repository,
                                            std::string_view undone) {
  if (repository.definition.read_only)
    return fail(EROFS, "repository '{}' is read-only: nothing is {} there", repository.name, undone);
  HF_TRY(auto place, services.shelf.place(repository));
  HF_CHECK(place->may_write());
  HF_CHECK(tell_lease(services.catalog, *place, repository));
  return place;
}

Result<std::shared_ptr<Place>> writable_place(const capture::Services& services, const Repository& repository,
                                              std::string_view undone) {
  HF_TRY(auto place, leased_place(services, repository, undone));
  HF_CHECK(check_known(services.catalog, *place, repository.id));
  return place;
}

}  // namespace holdfast::repository
