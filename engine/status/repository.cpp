// Repositories: their state, their space, their points.
#include "catalog/stores/repositories.h"
#include "engine/common/services.h"
#include "engine/repository/sequence.h"
#include "engine/repository/shelf.h"
#include "engine/status/growth.h"
#include "engine/status/views.h"

namespace holdfast {

std::string state_of(int trouble) {
  switch (trouble) {
    case ETIMEDOUT: return "hanging";
    case repository::Shelf::kDetached: return "detached";
    default: return "unreachable";
  }
}

Result<RepositoryView> Status::repository(Id id, const Caller& reader) {
  const Time now = services_.clock.now();
  std::optional<RepositorySizes::Growth> growth;
  RepositoryView view;
  HF_CHECK(services_.catalog.read([&](db::Connection& db) -> Result<> {
    HF_TRY(view.repository, Repositories(db).get(id));
    HF_TRY(const auto usage, Repositories(db).usage(id));
    view.points = usage.points;
    view.used_bytes = usage.bytes_stored;
    HF_TRY(growth, RepositorySizes(db).growth(id, now));
    HF_TRY(const auto readings, Readings(db).of_repository(id));
    view.verified = view_verified(readings);
    return {};
  }));
  view.revision = view.repository.revision;
  view.state = view.repository.complete ? "ready" : "incomplete";
  if (!view.repository.complete) return view;

  if (view.repository.missed_commits)
    view.warnings.push_back(repository::older_catalog_sentence(view.repository));
  const auto place = services_.shelf.glance(view.repository);
  if (!place) {
    const auto trouble = services_.shelf.trouble(id);
    view.state = state_of(trouble ? trouble->code : place.error().code);
    view.warnings.push_back(place.error().message);
    return view;
  }
  if (!(*place)->is_for_reading()) {
    if (const auto writable = (*place)->may_write(); !writable) {
      if (writable.error().code == EBUSY) view.state = kLeased;
      view.warnings.push_back(writable.error().message);
    }
  }
  if (const auto age = repository::check_age(services_.catalog, **place, id); !age)
    view.warnings.push_back(age.error().message);
  for (const repository::Aside& aside : services_.shelf.asides(id))
    view.warnings.push_back(repository::sentence_of(repository::seen(aside, reader.uid == 0)));
  HF_TRY(const auto space, (*place)->directory().space());
  view.capacity_bytes = space.capacity;
  view.free_bytes = space.free;
  const auto room = repository::room_for_backups(space, view.repository.definition.reserve_percent);
  view.full_at = full_at(growth, room, now);
  if (auto warning = warning_of_room(view.repository, room, view.full_at, now))
    view.warnings.push_back(std::move(warning->message));
  return view;
}

}  // namespace holdfast
