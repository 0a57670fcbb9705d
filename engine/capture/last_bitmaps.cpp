#include "engine/capture/last_bitmaps.h"

#include <algorithm>
#include <set>

#include "catalog/stores/flows.h"
#include "catalog/stores/leftovers.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/retention.h"
#include "engine/sources/drivers.h"

namespace holdfast::capture {
namespace {

// Machines that some flow backs up into the repository.
Result<std::set<Id>> still_captured(db::Connection& db, Id repository) {
  std::set<Id> machines;
  HF_TRY(const auto flows, Flows(db).list());
  for (const Named& named : flows) {
    HF_TRY(const Flow flow, Flows(db).get(named.id));
    if (flow.definition.type != FlowType::backup || flow.repository_id != repository) continue;
    HF_TRY(const auto captured, Flows(db).machines(flow));
    machines.insert(captured.begin(), captured.end());
  }
  return machines;
}

}  // namespace

Result<> give_up_change_ids(db::Connection& db, const Machine& machine, std::optional<Id> repository,
                            const std::function<bool(std::string_view)>& is_unwanted) {
  if (!machine.complete) return {};
  HF_TRY(source::Driver * driver, source::driver_for(machine.definition.driver));
  const auto detail = driver->detail_of_unwanted(machine.definition);
  if (!detail) return {};
  Points points(db);
  HF_TRY(const auto repositories, points.repositories_of(machine.id));
  for (const Id one : repositories) {
    if (repository && one != *repository) continue;
    HF_TRY(const auto newest, points.newest(machine.id, one));
    if (!newest) continue;
    for (const PointDisk& disk : newest->disks) {
      if (disk.change_id.empty() || !is_unwanted(disk.name)) continue;
      HF_CHECK(points.forget_change_id(disk.id));
      HF_CHECK(Leftovers(db).add({.id = new_id(),
                                  .machine_id = machine.id,
                                  .point_id = newest->id,
                                  .kind = LeftoverKind::unwanted_bitmap,
                                  .name = disk.change_id,
                                  .detail = *detail,
                                  .driver = machine.definition.driver}));
    }
  }
  return {};
}

Result<> give_up_unwanted(db::Connection& db, const Machine& before) {
  HF_TRY(const Machine now, Machines(db).get(before.id));
  HF_TRY(const auto retired, Retention(db).retirement(before.id));
  const bool all = retired || now.definition.driver != before.definition.driver;
  return give_up_change_ids(db, before, std::nullopt, [&](std::string_view disk) {
    return all ||
           std::ranges::find(now.definition.disks, disk, &DiskDefinition::name) == now.definition.disks.end();
  });
}

Result<std::vector<Id>> give_up_unwanted(db::Connection& db, const Flow& before) {
  std::vector<Id> given_up;
  if (!before.complete || before.definition.type != FlowType::backup || !before.repository_id)
    return given_up;
  HF_TRY(const auto machines, Flows(db).machines(before));
  HF_TRY(const auto others, still_captured(db, *before.repository_id));
  for (const Id id : machines) {
    if (others.contains(id)) continue;
    HF_TRY(const Machine machine, Machines(db).get(id));
    HF_CHECK(give_up_change_ids(db, machine, before.repository_id, [](std::string_view) { return true; }));
    given_up.push_back(id);
  }
  return given_up;
}

}  // namespace holdfast::capture
