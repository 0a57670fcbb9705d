#include "engine/repository/unfinished_copy.h"

#include "catalog/stores/copies.h"
#include "catalog/stores/points.h"
#include "engine/repository/sequence.h"

namespace holdfast::repository {

Result<> give_up_copy(const capture::Services& services, const Place& place, const std::string& machine_key,
                      const Copy& copy) {
  HF_TRY(const Point point,
         services.catalog.read([&](db::Connection& db) { return Points(db).get(copy.point_id); }));
  HF_TRY(const auto publisher, publisher_of(services, place, copy.repository_id, copy.id));
  HF_CHECK(place.discard(machine_key, point.name, publisher));
  return services.catalog.write([&](db::Connection& db) { return Copies(db).abandon(copy.id); });
}

Result<Place::Publisher> publisher_of(const capture::Services& services, const Place& place, Id repository,
                                      Id id) {
  if (id > services.life) return Place::Publisher::this_life;
  const auto known = check_known(services.catalog, place, repository);
  if (!known && known.error().code == EROFS) return Place::Publisher::newer_catalog;
  HF_CHECK(known);
  return Place::Publisher::unknown;
}

}  // namespace holdfast::repository
