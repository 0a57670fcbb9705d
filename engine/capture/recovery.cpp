#include "engine/capture/recovery.h"

#include <algorithm>
#include <map>

#include "catalog/stores/leftovers.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "engine/capture/catalog_ledger.h"
#include "engine/repository/shelf.h"
#include "engine/sources/drivers.h"

namespace holdfast::capture {
namespace {

struct Unsettled {
  Machine machine;
  struct Writing {
    Point point;
    Repository repository;
  };
  std::vector<Writing> writing;
  // Leftovers by point and by the driver that made them, because the machine may have another driver by now.
  std::map<std::pair<Id, std::string>, std::vector<Leftover>> leftovers;
};

Result<Unsettled> find_unsettled(Catalog& catalog, Id machine) {
  return catalog.read([&](db::Connection& db) -> Result<Unsettled> {
    Unsettled found;
    HF_TRY(found.machine, Machines(db).get(machine));
    HF_TRY(auto points, Points(db).writing());
    for (Point& point : points) {
      if (point.machine_id != machine) continue;
      HF_TRY(Repository repository, Repositories(db).get(point.repository_id));
      found.writing.push_back({std::move(point), std::move(repository)});
    }
    HF_TRY(auto leftovers, Leftovers(db).of_machine(machine));
    for (Leftover& leftover : leftovers)
      found.leftovers[{leftover.point_id, leftover.driver}].push_back(std::move(leftover));
    return found;
  });
}

}  // namespace

Result<> recover(const Services& services, Id machine) {
  HF_TRY(const Unsettled found, find_unsettled(services.catalog, machine));

  for (const auto& [point, repository] : found.writing) {
    HF_TRY(const auto place, services.shelf.place(repository));
    HF_CHECK(place->may_write());
    HF_CHECK(place->discard(found.machine.key, point.name));
  }
  for (const auto& [made_by, leftovers] : found.leftovers) {
    const auto& [point, driver] = made_by;
    const bool committed = std::ranges::none_of(
        found.writing, [id = point](const auto& writing) { return writing.point.id == id; });
    CatalogLedger ledger(services.catalog, machine, point, driver);
    HF_TRY(source::Driver * maker, source::driver_for(driver));
    const auto swept = maker->sweep(found.machine.definition, leftovers, committed, ledger);
    HF_CHECK(ledger.settle());
    if (!swept)
      return within(swept.error(), "sweeping what an earlier run left at machine '{}'", found.machine.name);
  }
  for (const auto& [point, repository] : found.writing)
    HF_CHECK(services.catalog.write([&](db::Connection& db) { return Points(db).remove(point.id); }));
  return {};
}

Result<std::vector<Id>> machines_to_recover(Catalog& catalog) {
  return catalog.read([](db::Connection& db) -> Result<std::vector<Id>> {
    HF_TRY(std::vector<Id> machines, Leftovers(db).machines());
    HF_TRY(const auto points, Points(db).writing());
    for (const Point& point : points) machines.push_back(point.machine_id);
    std::ranges::sort(machines);
    machines.erase(std::ranges::unique(machines).begin(), machines.end());
    return machines;
  });
}

}  // namespace holdfast::capture
