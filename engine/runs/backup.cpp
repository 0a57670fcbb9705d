// Accepts a backup of one machine that no flow asked for.
#include "catalog/model/rights.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/repositories.h"
#include "engine/common/audit.h"
#include "engine/runs/begin.h"
#include "engine/runs/capture_work.h"

namespace holdfast::runs {
namespace {

Result<Repository> usable_repository(db::Connection& db, const std::string& name, const Caller& caller) {
  Repositories repositories(db);
  HF_TRY(const auto id, repositories.find(name));
  if (!id) return fail(ENOENT, "there is no repositories/{}", name);
  HF_TRY(Repository repository, repositories.get(*id));
  if (!may(caller, repository.ownership, Right::write))
    return fail(EACCES,
                "repositories/{} is not yours to use: a backup into it needs the right to write to it", name);
  if (!repository.complete)
    return fail(EINVAL, "repository '{}' has no definition yet; write its config.json", name);
  return repository;
}

}  // namespace

Result<Work> begin_backup(const capture::Services& services, Id machine_id, const BackupRequest& request,
                          const Caller& caller) {
  return services.catalog.write([&](db::Connection& db) -> Result<Work> {
    HF_TRY(const Machine machine, Machines(db).get(machine_id));
    if (!machine.complete)
      return fail(EINVAL, "machine '{}' has no definition yet; write its config.json", machine.name);
    HF_CHECK(check_not_retired(db, machine_id));
    HF_TRY(const Repository repository, usable_repository(db, request.repository, caller));
    Job job = new_job(JobType::backup, request.name, services.clock.now());
    job.operation = request.kind ? to_word(*request.kind) : "auto";
    job.owner = "machines/" + machine.name;
    job.machine_id = machine.id;
    job.repository_id = repository.id;
    HF_CHECK(Jobs(db).add(job));
    Event event = make_event(services.clock.now(), "machine.backup", job.owner, caller);
    event.job = job.name;
    HF_CHECK(record(db, event));

    Work work{.job = job.id,
              .machine = machine.id,
              .repository = repository.id,
              .name = "jobs/" + job.name,
              .stall = FlowDefinition{}.stall};
    work.perform = capture_work(services, {.machine = machine.id,
                                           .repository = repository.id,
                                           .kind = request.kind,
                                           .sample = request.sample,
                                           .bandwidth = request.bandwidth,
                                           .job = job.id});
    return work;
  });
}

}  // namespace holdfast::runs
