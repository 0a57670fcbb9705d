// Repositories: whether the daemon holds them.
#include <algorithm>

#include "catalog/model/rights.h"
#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "engine/objects/changes.h"
#include "engine/objects/kinds.h"
#include "engine/repository/shelf.h"
#include "engine/requests/requests.h"

namespace holdfast {
namespace {

Result<Repository> complete_repository(const capture::Services& services, Id id) {
  HF_TRY(Repository repository,
         services.catalog.read([&](db::Connection& db) { return Repositories(db).get(id); }));
  if (repository.complete) return repository;
  return fail(EINVAL, "repository '{}' is not complete; write its config.json first", repository.name);
}

// Whether the job may use the repository: it names the repository, copies from it, or works on a machine that
// has points there.
Result<bool> may_use(db::Connection& db, const Job& job, Id repository) {
  if (job.repository_id == repository) return true;
  if (job.execution_id) {
    HF_TRY(const Execution execution, Executions(db).get(*job.execution_id));
    HF_TRY(const Flow flow, Flows(db).get(execution.flow_id));
    if (flow.from_repository_id == repository) return true;
  }
  if (job.repository_id || !job.machine_id) return false;
  HF_TRY(const auto repositories, Points(db).repositories_of(*job.machine_id));
  return std::ranges::find(repositories, repository) != repositories.end();
}

// Names the jobs that may use the repository, for a sentence. Jobs that the caller may not see have no name.
Result<std::string> jobs_at(db::Connection& db, Id repository, const Caller& caller) {
  HF_TRY(const auto unfinished, Jobs(db).unfinished());
  std::vector<std::string> names;
  bool others = false;
  for (const Job& job : unfinished) {
    HF_TRY(const bool uses, may_use(db, job, repository));
    if (!uses) continue;
    HF_TRY(const Ownership ownership, ownership_of(db, ObjectKind::job, job.id));
    if (may_see(caller, ownership))
      names.push_back("jobs/" + job.name);
    else
      others = true;
  }
  if (others) names.push_back("jobs of other users");
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

Result<> Requests::detach(Id id, const Caller& caller) {
  HF_TRY(const Repository repository, complete_repository(services_, id));
  if (auto gone = services_.shelf.detach(repository); !gone) {
    if (gone.error().code != EBUSY) return gone;
    HF_TRY(const std::string jobs,
           services_.catalog.read([&](db::Connection& db) { return jobs_at(db, id, caller); }));
    if (jobs.empty())
      return fail(EBUSY, "{}: close the images of its points that are open, then detach it",
                  gone.error().message);
    return fail(EBUSY, "{} by {}: wait for their end or write 'cancel' to their control, then detach it",
                gone.error().message, jobs);
  }
  auto told = changes_.apply(ObjectKind::repository, id, "repository.detach", caller, "",
                             [](db::Connection&) { return Result<>{}; });
  if (!told) (void)services_.shelf.attach(repository);  // no change without its event
  return told;
}

Result<> Requests::attach(Id id, const Caller& caller) {
  HF_TRY(const Repository repository, complete_repository(services_, id));
  HF_CHECK(services_.shelf.attach(repository));
  return changes_.apply(ObjectKind::repository, id, "repository.attach", caller, "",
                        [](db::Connection&) { return Result<>{}; });
}

// The event comes first, because nothing is taken over without one. What fails later is an event as well.
Result<> Requests::take_over(Id id, const std::string& why, const Caller& caller) {
  if (caller.uid != 0)
    return fail(EPERM, "a lease keeps two daemons from one repository: only root may take it over");
  if (why.find_first_not_of(" \t") == std::string::npos)
    return fail(EINVAL, "why= says nothing; write why the former daemon writes no more");
  HF_TRY(const Repository repository, complete_repository(services_, id));
  if (repository.definition.read_only)
    return fail(EROFS, "repository '{}' is read-only: nobody needs its lease", repository.name);
  HF_TRY(const auto place, services_.shelf.place(repository));
  if (place->may_write())
    return fail(EINVAL, "repository '{}' is written to by this daemon; there is nothing to take over",
                repository.name);
  HF_TRY(const auto holder, place->may_be_taken_over());
  const std::string reason = holder ? fmt::format("from {}: {}", sentence_of(*holder), why) : why;
  HF_CHECK(changes_.apply(ObjectKind::repository, id, "repository.take-over", caller, reason,
                          [](db::Connection&) { return Result<>{}; }));
  return services_.shelf.take_over(repository);
}

}  // namespace holdfast
