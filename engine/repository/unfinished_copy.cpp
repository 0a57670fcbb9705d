#include "engine/repository/unfinished_copy.h"

#include "catalog/stores/copies.h"
#include "catalog/stores/points.h"

namespace holdfast::repository {

Result<> give_up_copy(Catalog& catalog, const Place& place, const std::string& machine_key,
                      const Copy& copy) {
  HF_TRY(const Point point, catalog.read([&](db::Connection& db) { return Points(db).get(copy.point_id); }));
  HF_CHECK(place.discard(machine_key, point.name));
  return catalog.write([&](db::Connection& db) { return Copies(db).abandon(copy.id); });
}

}  // namespace holdfast::repository
