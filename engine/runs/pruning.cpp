// Accepts prunings, and performs them.
#include <nlohmann/json.hpp>

#include "catalog/base/log.h"
#include "catalog/model/json_text.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/logs.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/retention.h"
#include "engine/common/audit.h"
#include "engine/retention/prune.h"
#include "engine/runs/begin.h"
#include "engine/verify/verify.h"

namespace holdfast::runs {
namespace {

using Json = nlohmann::ordered_json;

JobEnd end_of(const retention::PruneOutcome& outcome) {
  JobEnd end;
  end.bytes_stored = outcome.bytes_written;
  end.metadata = json::compact(Json{{"points", outcome.gone},
                                    {"copies", outcome.moved},
                                    {"layers_removed", outcome.layers_removed},
                                    {"merges", outcome.merges},
                                    {"bytes_freed", outcome.bytes_freed},
                                    {"bytes_written", outcome.bytes_written},
                                    {"put_off", outcome.put_off}});
  if (outcome.put_off.empty()) return end;
  end.status = outcome.refused ? RunStatus::error : RunStatus::warning;
  if (outcome.refused) end.reason = EndReason::failed;
  for (const std::string& sentence : outcome.put_off)
    end.message += (end.message.empty() ? "" : "; ") + sentence;
  return end;
}

// Writes to the job's log which points and copies went, and the room that came back. A pruning that is done
// does not fail for want of its log.
void tell(Catalog& catalog, const retention::PruneOutcome& outcome, Id id, Time now) {
  const auto told = catalog.write([&](db::Connection& db) -> Result<> {
    HF_TRY(const Job job, Jobs(db).get(id));
    for (const std::string& sentence : outcome.told) HF_CHECK(Logs(db).add(job, now, sentence));
    return Logs(db).add(
        job, now,
        fmt::format("freed {} bytes: {} layers removed, {} merges, {} bytes written", outcome.bytes_freed,
                    outcome.layers_removed, outcome.merges, outcome.bytes_written));
  });
  if (!told) log::warning("the log of a pruning could not be written: {}", told.error().message);
}

}  // namespace

Result<> check_not_retired(db::Connection& db, Id machine) {
  HF_TRY(const auto retired, Retention(db).retirement(machine));
  if (!retired) return {};
  HF_TRY(const std::string name, Machines(db).name_of(machine));
  return fail(EINVAL, "machine '{}' is retired: no more points are made of it; `unretire` lets it run again",
              name);
}

Result<Work> begin_pruning(const capture::Services& services, Id machine_id, const PruneRequest& request,
                           const std::optional<Caller>& caller) {
  return services.catalog.write([&](db::Connection& db) -> Result<Work> {
    HF_TRY(const std::string machine, Machines(db).name_of(machine_id));
    Job job = new_job(JobType::prune, request.name, services.clock.now());
    job.operation = request.by_policy ? "prune" : "make_room";
    job.owner = "machines/" + machine;
    job.machine_id = machine_id;
    HF_CHECK(Jobs(db).add(job));
    if (caller) {
      Event event = make_event(services.clock.now(), "machine.prune", job.owner, *caller);
      event.job = job.name;
      HF_CHECK(record(db, event));
    }
    // Retries for as long as a verification of the machine's points may take.
    Work work{.job = job.id, .machine = machine_id, .name = "jobs/" + job.name, .retries = 1000};
    const auto judging = request.by_policy ? retention::Judging::by_policy : retention::Judging::nobody;
    work.perform = [&services, machine_id, judging, job = job.id](
                       ProgressMeter& progress, const source::Cancel& cancel) -> Result<JobEnd> {
      const auto prove = verify::prover(services, progress, cancel);
      HF_TRY(const auto outcome, retention::prune(services, machine_id, judging, prove, cancel));
      tell(services.catalog, outcome, job, services.clock.now());
      return end_of(outcome);
    };
    return work;
  });
}

}  // namespace holdfast::runs
