#include "engine/repository/shelf.h"

namespace holdfast::repository {

Result<std::shared_ptr<Place>> Shelf::place(const Repository& repository) {
  auto found = find(repository);
  const MutexLock lock(troubles_mutex_);
  if (found)
    troubles_.erase(repository.id);
  else
    troubles_[repository.id] = found.error().message;
  return found;
}

std::string Shelf::trouble(Id repository) const {
  const MutexLock lock(troubles_mutex_);
  const auto found = troubles_.find(repository);
  return found == troubles_.end() ? "" : found->second;
}

Result<std::shared_ptr<Place>> Shelf::find(const Repository& repository) {
  if (repository.marker.empty())
    return fail(EINVAL, "repository '{}' has no path yet; write its config.json", repository.name);
  const MutexLock lock(mutex_);
  std::shared_ptr<Place>& place = open_[repository.id];
  // Another daemon that held the lease may have ended since.
  if (place && (!place->check() || !place->may_write())) place.reset();
  if (!place) {
    HF_TRY(place, Place::open(repository.definition.path, repository.marker));
  }
  return place;
}

void Shelf::drop(Id repository) {
  const MutexLock lock(mutex_);
  open_.erase(repository);
}

}  // namespace holdfast::repository
