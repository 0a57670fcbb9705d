#include "fsd/views/json.h"
#include "fsd/views/views.h"

namespace holdfast::views {

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
      {"reason", word_or_null(job.reason)},
      {"message", text_or_null(job.message)},
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
