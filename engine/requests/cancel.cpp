// Cancels: work ends at its next safe place.
#include "catalog/stores/executions.h"
#include "catalog/stores/jobs.h"
#include "engine/common/audit.h"
#include "engine/objects/kinds.h"
#include "engine/requests/requests.h"
#include "engine/runs/runner.h"
#include "engine/status/views.h"

namespace holdfast {

Result<> Requests::cancel_flow(Id id, const Caller& caller) {
  HF_TRY(const FlowView view, services_.catalog.read([&](db::Connection& db) {
    Sight sight(db, caller);
    return view_flow(db, id, services_.clock.now(), sight);
  }));
  if (!view.running)
    return fail(EINVAL, "flow '{}' is not running; there is nothing to cancel", view.flow.name);
  return cancel_execution(view.last->id, caller);
}

Result<> Requests::cancel_execution(Id execution, const Caller& caller) {
  HF_CHECK(services_.catalog.write([&](db::Connection& db) -> Result<> {
    HF_TRY(const Execution row, Executions(db).get(execution));
    if (is_final(row.status))
      return fail(EINVAL, "execution '{}' has ended ({}); there is nothing to cancel", row.name,
                  to_word(row.status));
    HF_TRY(std::string path, path_of(db, ObjectKind::execution, execution));
    return record(db, make_event(services_.clock.now(), "execution.cancel", std::move(path), caller));
  }));
  runner_.cancel_execution(execution);  // no effect if it has ended meanwhile
  return {};
}

Result<> Requests::cancel_job(Id id, const Caller& caller) {
  HF_CHECK(services_.catalog.write([&](db::Connection& db) -> Result<> {
    HF_TRY(const Job job, Jobs(db).get(id));
    if (is_final(job.status))
      return fail(EINVAL, "job '{}' has ended ({}); there is nothing to cancel", job.name,
                  to_word(job.status));
    return record(db, make_event(services_.clock.now(), "job.cancel", "jobs/" + job.name, caller));
  }));
  (void)runner_.cancel(id);
  return {};
}

}  // namespace holdfast
