// Stamps: revision and change time of an object's views.
#include <algorithm>

#include "catalog/base/id_time.h"
#include "catalog/stores/points.h"
#include "engine/common/services.h"
#include "engine/objects/kinds.h"
#include "engine/status/views.h"

namespace holdfast {

Result<Stamp> Status::stamp(ObjectKind kind, Id id) {
  if (kind == ObjectKind::execution) {
    HF_TRY(const ExecutionView view, execution(id, Caller{}));
    return Stamp{view.execution.revision, time_of_id(view.execution.revision)};
  }
  if (kind == ObjectKind::job) {
    HF_TRY(const JobView view, job(id, Caller{}));
    return Stamp{view.job.revision, time_of_id(view.job.revision)};
  }
  return services_.catalog.read([&](db::Connection& db) -> Result<Stamp> {
    if (kind == ObjectKind::point) {
      HF_TRY(const Point point, Points(db).get(id));
      if (point.state == PointState::retired) return fail(ENOENT, "point '{}' has gone", point.name);
      return Stamp{std::max(point.id, point.revision), std::max(point.time, time_of_id(point.revision))};
    }
    if (kind == ObjectKind::point_disk) {
      HF_TRY(const PointDisk disk, Points(db).disk(id));
      HF_TRY(const Point point, Points(db).get(disk.point_id));
      return Stamp{point.id, point.time};
    }
    if (kind == ObjectKind::flow) return stamp_flow(db, id);
    HF_TRY(const Object owner, owner_of(db, kind, id));
    return Stamp{owner.revision, std::max(owner.changed_at, time_of_id(owner.revision))};
  });
}

}  // namespace holdfast
