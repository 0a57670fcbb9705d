// Jobs: how far they are, or what they wait for.
#include <algorithm>

#include "catalog/stores/jobs.h"
#include "catalog/stores/machines.h"
#include "engine/common/services.h"
#include "engine/objects/kinds.h"
#include "engine/runs/runner.h"
#include "engine/status/views.h"

namespace holdfast {

void count_live(Job& job, const Progress& live) {
  job.bytes_done = job.bytes_read = live.done;
  job.bytes_total = live.total;
  // A capture transfers what it reads; other jobs tell at their end.
  if (job.type == JobType::backup || job.type == JobType::import) job.bytes_transferred = live.done;
  job.revision = std::max(job.revision, live.revision);
}

Result<JobView> Status::job(Id id, const Caller& reader) {
  JobView view;
  HF_CHECK(services_.catalog.read([&](db::Connection& db) -> Result<> {
    HF_TRY(view.job, Jobs(db).get(id));
    Sight sight(db, reader);
    if (!sight.covers(ObjectKind::job, id)) {
      view.job.message.clear();
      view.job.metadata = "{}";
      view.job.owner.clear();
      return {};
    }
    view.job.owner = sight.told(view.job.owner, Sentence::is_old);
    view.job.message = sight.told(view.job.message, Sentence::is_old);
    view.job.metadata = sight.told(view.job.metadata, Sentence::is_old);
    if (view.job.metadata.empty()) view.job.metadata = "{}";
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
    count_live(view.job, *live);
  }
  view.waits_for = runner_.waits_for(id);
  return view;
}

}  // namespace holdfast
