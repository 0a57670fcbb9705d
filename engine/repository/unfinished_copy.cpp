#include "engine/repository/unfinished_copy.h"

#include "catalog/stores/copies.h"
#include "catalog/stores/points.h"

namespace holdfast::repository {

Result<> give_up_copy(const capture::Services& services, const Place& place, const std::string& machine_key,
                      const Copy& copy) {
  HF_TRY(const Point point,
         services.catalog.read([&](db::Connection& db) { return Points(db).get(copy.point_id); }));
  HF_CHECK(place.discard(machine_key, point.name, publisher_of(services, copy.id)));
  return services.catalog.write([&](db::Connection& db) { return Copies(db).abandon(copy.id); });
}

Place::Publisher publisher_of(const capture::Services& services, Id id) {
  return id > services.life ? Place::Publisher::this_life : Place::Publisher::unknown;
}

}  // namespace holdfast::repository
