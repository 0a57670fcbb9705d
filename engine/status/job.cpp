// Jobs: how far they are, or what they wait for.
#include <algorithm>

#include "catalog/stores/jobs.h"
#include "catalog/stores/machines.h"
#include "engine/common/services.h"
#include "engine/objects/kinds.h"
#include "engine/runs/runner.h"
#include "engine/status/status.h"

namespace holdfast {

Result<JobView> Status::job(Id id) {
  JobView view;
  HF_CHECK(services_.catalog.read([&](db::Connection& db) -> Result<> {
    HF_TRY(view.job, Jobs(db).get(id));
    if (view.job.execution_id) {
      HF_TRY(view.execution, path_of(db, ObjectKind::execution, *view.job.execution_id));
    }
    if (view.job.machine_id) {
      HF_TRY(const Machine machine, Machines(db).get(*view.job.machine_id));
      view.machine = machine.name;
    }
    return {};
  }));
  view.progress.done = view.job.bytes_done;
  view.progress.total = view.job.bytes_total;
  if (is_final(view.job.status)) return view;
  if (const auto live = runner_.progress(id)) {
    view.progress = *live;
    view.job.revision = std::max(view.job.revision, live->revision);
  }
  view.waits_for = runner_.waits_for(id);
  return view;
}

}  // namespace holdfast
