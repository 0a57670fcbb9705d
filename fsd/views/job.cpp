#include "fsd/views/json.h"
#include "fsd/views/views.h"

namespace holdfast::views {
namespace {

std::string sentence_of(WaitReason reason, const std::string& machine) {
  switch (reason) {
    case WaitReason::machine_busy:
      return machine.empty() ? "the job waits: another job uses its machine"
                             : fmt::format("the job waits: another job uses machine '{}'", machine);
    case WaitReason::max_concurrent_jobs:
      return "the job waits: as many jobs run as may run at once (max_concurrent_jobs in /config.json)";
    case WaitReason::max_jobs:
      return "the job waits: as many jobs use its repository, or its source, as may at once (max_jobs)";
    case WaitReason::boot_check_busy:
      return "the job waits: another boot check runs, and one may run at once";
    case WaitReason::hooks: return "the job waits for the hooks that run before its execution's jobs";
    case WaitReason::retry: return "the job has failed and waits to be tried again; its log says why";
  }
  return "";
}

}  // namespace

std::string job_status(const JobView& view) {
  const Job& job = view.job;
  Json metadata = Json::parse(job.metadata, nullptr, /*allow_exceptions=*/false);
  if (metadata.is_discarded()) metadata = job.metadata;
  return document({
      {"revision", job.revision},
      {"id", job.name},
      {"type", to_word(job.type)},
      {"operation", job.operation},
      {"owner", text_or_null(job.owner)},
      {"status", to_word(job.status)},
      {"reason", view.waits_for ? Json(to_word(*view.waits_for)) : word_or_null(job.reason)},
      {"message", text_or_null(view.waits_for ? sentence_of(*view.waits_for, view.machine) : job.message)},
      {"machine", text_or_null(view.machine)},
      {"execution", text_or_null(view.execution)},
      {"progress", progress(view.progress)},
      {"bytes_read", job.bytes_read},
      {"bytes_transferred", job.bytes_transferred},
      {"bytes_stored", job.bytes_stored},
      {"metadata", metadata},
      {"created_at", iso_time(job.created_at)},
      {"started_at", time_or_null(job.started_at)},
      {"completed_at", time_or_null(job.completed_at)},
      {"execution_time_seconds", seconds_or_null(job.started_at, job.completed_at)},
  });
}

}  // namespace holdfast::views
