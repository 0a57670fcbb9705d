// Repositories: whether the daemon holds them.
#include "catalog/stores/jobs.h"
#include "catalog/stores/repositories.h"
#include "engine/objects/changes.h"
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

// The jobs that may use the repository, for a sentence.
Result<std::string> jobs_at(const capture::Services& services, Id repository) {
  HF_TRY(const auto unfinished,
         services.catalog.read([](db::Connection& db) { return Jobs(db).unfinished(); }));
  std::vector<std::string> names;
  for (const Job& job : unfinished)
    if (job.repository_id == repository) names.push_back("jobs/" + job.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

Result<> Requests::detach(Id id, const Caller& caller) {
  HF_TRY(const Repository repository, complete_repository(services_, id));
  if (auto gone = services_.shelf.detach(repository); !gone) {
    if (gone.error().code != EBUSY) return gone;
    HF_TRY(const std::string jobs, jobs_at(services_, id));
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

}  // namespace holdfast
