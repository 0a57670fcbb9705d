// Accepts rescans of repositories, and performs them.
#include "engine/rescan/rescan.h"

#include <nlohmann/json.hpp>

#include "catalog/model/json_text.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/repositories.h"
#include "engine/common/audit.h"
#include "engine/repository/definitions.h"
#include "engine/repository/shelf.h"
#include "engine/runs/begin.h"

namespace holdfast::runs {
namespace {

JobEnd end_of(const rescan::Report& report) {
  auto findings = nlohmann::ordered_json::array();
  for (const rescan::Finding& finding : report.findings)
    findings.push_back({{"file", finding.file}, {"why", finding.why}});
  const nlohmann::ordered_json metadata{{"objects", report.objects}, {"points", report.points},
                                        {"copies", report.copies},   {"known", report.known},
                                        {"gone", report.gone},       {"findings", std::move(findings)}};
  JobEnd end{.message = fmt::format("{} objects, {} points and {} copies are added", report.objects.size(),
                                    report.points, report.copies),
             .metadata = json::compact(metadata)};
  if (report.findings.empty()) return end;
  end.status = RunStatus::warning;
  end.reason = EndReason::damaged;
  end.message += fmt::format("; {} files could not be used, the first: {}: {}", report.findings.size(),
                             report.findings.front().file, report.findings.front().why);
  return end;
}

}  // namespace

Result<Work> begin_rescan(const capture::Services& services, repository::Definitions& definitions, Id id,
                          const std::string& name, const Caller& caller) {
  return services.catalog.write([&](db::Connection& db) -> Result<Work> {
    HF_TRY(const Repository repository, Repositories(db).get(id));
    if (!repository.complete)
      return fail(EINVAL, "repository '{}' is not complete; write its config.json first", repository.name);
    Job job = new_job(JobType::rescan, name, services.clock.now());
    job.operation = "rescan";
    // The job stays root's, because its findings name machines of all owners (law 19).
    job.owner = "repositories/" + repository.name;
    HF_CHECK(Jobs(db).add(job));
    Work work{.job = job.id, .repository = id, .name = "jobs/" + job.name};
    work.perform = [&services, &definitions, repository, caller](
                       ProgressMeter& progress, const source::Cancel& cancel) -> Result<JobEnd> {
      HF_TRY(const auto place, services.shelf.place(repository));
      const auto watch = [&]() -> Result<> {
        progress.move();
        if (cancel.requested()) return fail(ECANCELED, "cancelled");
        return {};
      };
      const auto write = place->may_write() ? rescan::Write::count : rescan::Write::nothing;
      HF_TRY(const auto report,
             rescan::rescan(services.catalog, *place, services.clock.now(), caller, watch, write));
      definitions.changed();
      return end_of(report);
    };
    return work;
  });
}

}  // namespace holdfast::runs
