// Disks of machines: how their changes are known.
#include <algorithm>

#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "engine/common/services.h"
#include "engine/status/views.h"

namespace holdfast {

// Derives from the newest points whether the source reports changes.
Result<DiskView> view_disk(db::Connection& db, Id machine, Id id, Sight& sight) {
  DiskView view;
  HF_TRY(const auto disks, Machines(db).disks(machine));
  const auto found = std::ranges::find(disks, id, &Disk::id);
  HF_TRY(const Machine owner, Machines(db).get(machine));
  if (found == disks.end()) return fail(ENOENT, "machines/{} no longer has this disk", owner.name);
  view.disk = *found;
  HF_TRY(const auto repositories, Points(db).repositories_of(machine));
  bool told = false, reset = false, is_in_a_point = false;
  for (const Id repository : repositories) {
    HF_TRY(const auto newest, Points(db).newest(machine, repository));
    if (!newest) continue;
    const auto disk = std::ranges::find(newest->disks, id, &PointDisk::disk_id);
    if (disk == newest->disks.end()) continue;
    is_in_a_point = true;
    if (sight.covers(ObjectKind::repository, repository)) {
      HF_TRY(const std::string name, Repositories(db).name_of(repository));
      view.change_ids[name] = disk->change_id;
    }
    told |= !disk->change_id.empty();
    reset |= newest->cbt_reset;
  }
  if (reset) view.cbt_reason = "reset-cbt was asked for: the next point is a full one";
  if (told || reset) return view;
  view.cbt_reason =
      is_in_a_point ? fmt::format("driver {}: its newest points have no change id", owner.definition.driver)
                    : "it is in no point yet";
  return view;
}

Result<DiskView> Status::disk(Id machine, Id id, const Caller& reader) {
  return services_.catalog.read([&](db::Connection& db) {
    Sight sight(db, reader);
    return view_disk(db, machine, id, sight);
  });
}

}  // namespace holdfast
