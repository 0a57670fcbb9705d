#include "engine/capture/recovery.h"

#include <algorithm>
#include <map>
#include <set>

#include "catalog/stores/jobs.h"
#include "catalog/stores/leftovers.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "engine/capture/catalog_ledger.h"
#include "engine/repository/sequence.h"
#include "engine/repository/shelf.h"
#include "engine/repository/unfinished_copy.h"
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

// Sweeps the leftovers of each point as `fate_of(point)` says, but for those in `active`, and returns the
// first error. One sweep of a machine at a time.
template <class FateOf>
Result<> sweep(const Services& services, Id machine, FateOf fate_of, const std::set<Id>& active = {}) {
  const MutexLock lock(services.left_behind.sweeping(machine));
  HF_TRY(const Unsettled found, find_unsettled(services.catalog, machine));
  Result<> first;
  for (const auto& [made_by, leftovers] : found.leftovers) {
    const auto& [point, driver] = made_by;
    if (active.contains(point)) continue;
    CatalogLedger ledger(services.catalog, machine, point, driver);
    HF_TRY(source::Driver * maker, source::driver_for(driver));
    const auto swept = maker->sweep(found.machine.definition, leftovers, fate_of(point), ledger);
    HF_CHECK(ledger.settle());
    if (!swept && first)
      first = within(swept.error(), "sweeping what an earlier run left at machine '{}'", found.machine.name);
  }
  return first;
}

Result<> discard(const Services& services, const Machine& machine, const Unsettled::Writing& writing) {
  HF_TRY(const auto place, services.shelf.place(writing.repository));
  HF_CHECK(repository::claim(services.catalog, *place, writing.repository));
  HF_TRY(const auto publisher,
         repository::publisher_of(services, *place, writing.repository.id, writing.point.id));
  return place->discard(machine.key, writing.point.name, publisher);
}

}  // namespace

Result<> let_go(const Services& services, Id machine) {
  return sweep(services, machine, [](Id) { return source::PointFate::unknown; });
}

Result<> let_go_of_ended(const Services& services, Id machine) {
  HF_TRY(const std::set<Id> active, services.catalog.read([&](db::Connection& db) -> Result<std::set<Id>> {
    std::set<Id> points;
    HF_TRY(const auto leftovers, Leftovers(db).of_machine(machine));
    for (const Leftover& leftover : leftovers) {
      HF_TRY(const Point point, Points(db).get(leftover.point_id));
      if (!point.job_id) continue;
      HF_TRY(const Job job, Jobs(db).get(*point.job_id));
      if (!job.completed_at) points.insert(point.id);
    }
    return points;
  }));
  return sweep(
      services, machine, [](Id) { return source::PointFate::unknown; }, active);
}

Result<> recover(const Services& services, Id machine, std::optional<Id> repository) {
  const auto let_go_of = let_go(services, machine);  // the bytes go even while the source is away
  HF_TRY(Unsettled found, find_unsettled(services.catalog, machine));
  Result<> first;
  std::map<Id, source::PointFate> fates;  // by point; committed points have none
  for (const auto& writing : found.writing) {
    source::PointFate& fate = fates[writing.point.id] = source::PointFate::unknown;
    if (repository && writing.repository.id != *repository) continue;
    const auto discarded = discard(services, found.machine, writing);
    if (discarded) fate = source::PointFate::failed;
    if (!discarded && first) first = discarded;
  }
  HF_CHECK(let_go_of);
  HF_CHECK(sweep(services, machine, [&](Id point) {
    const auto fate = fates.find(point);
    return fate == fates.end() ? source::PointFate::committed : fate->second;
  }));
  for (const auto& [point, fate] : fates)
    if (fate == source::PointFate::failed)
      HF_CHECK(services.catalog.write([id = point](db::Connection& db) { return Points(db).remove(id); }));
  return first;
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
