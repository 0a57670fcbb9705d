// Restore points, with their pins, verdicts and copies.
#include "catalog/stores/boot_checks.h"
#include "catalog/stores/copies.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/pins.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "engine/common/services.h"
#include "engine/repository/documents.h"
#include "engine/status/views.h"

namespace holdfast {

Result<PointView> view_point(db::Connection& db, Id id, Time now, Sight& sight) {
  PointView view;
  HF_TRY(view.point, Points(db).get(id));
  if (view.point.state == PointState::retired) return fail(ENOENT, "point '{}' has gone", view.point.name);
  HF_TRY(const Machine machine, Machines(db).get(view.point.machine_id));
  HF_TRY(const Repository repository, Repositories(db).get(view.point.repository_id));
  view.machine = machine.name;
  view.ownership = machine.ownership;
  view.repository = repository.name;
  sight.keep_seen(ObjectKind::repository, view.repository);
  sight.keep_seen(ObjectKind::flow, view.point.flow);
  if (view.point.flow.empty()) view.point.execution.clear();
  if (view.point.parent_point_id) {
    HF_TRY(const Point parent, Points(db).get(*view.point.parent_point_id));
    view.parent = parent.name;
  }
  HF_TRY(view.pins, Pins(db).of_point(id));
  std::erase_if(view.pins, [&](const Pin& pin) { return pin.until && *pin.until <= now; });
  HF_TRY(view.verdicts, Verdicts(db).of_point(id));
  HF_TRY(view.boot_check, BootChecks(db).of_point(id));
  HF_TRY(const auto copies, Copies(db).of_point(id));
  for (const Copy& copy : copies) {
    if (!sight.covers(ObjectKind::repository, copy.repository_id)) continue;
    HF_TRY(std::string name, Repositories(db).name_of(copy.repository_id));
    view.copies.push_back(std::move(name));
  }
  return view;
}

Result<PointView> Status::point(Id id, const Caller& reader) {
  return services_.catalog.read([&](db::Connection& db) {
    Sight sight(db, reader);
    return view_point(db, id, services_.clock.now(), sight);
  });
}

Result<std::string> Status::screenshot(Id point) {
  return services_.catalog.read([&](db::Connection& db) -> Result<std::string> {
    HF_TRY(std::string screenshot, BootChecks(db).screenshot(point));
    if (screenshot.empty()) return fail(ENOENT, "no boot check has made a picture of its screen");
    return screenshot;
  });
}

Result<bool> Status::has_screenshot(Id point) {
  return services_.catalog.read([&](db::Connection& db) { return BootChecks(db).has_screenshot(point); });
}

Result<PointDisk> Status::point_disk(Id id) {
  return services_.catalog.read([&](db::Connection& db) { return Points(db).disk(id); });
}

Result<std::string> Status::restore_text(Id id) {
  HF_TRY(const PointView view, point(id, Caller{}));  // the text has names of the machine alone
  return repository::restore_text(
      view.point, {.machine = view.machine, .repository = view.repository, .parent = view.parent});
}

}  // namespace holdfast
