#include "fsd/views/json.h"
#include "fsd/views/views.h"

namespace holdfast::views {

std::string execution_status(const ExecutionView& view) {
  const Execution& execution = view.execution;
  Json jobs = Json::array();
  for (const Named& job : view.jobs) jobs.push_back(job.name);
  return document({
      {"revision", execution.revision},
      {"id", execution.name},
      {"flow", view.flow},
      {"status", to_word(execution.status)},
      {"execution_type", to_word(execution.type)},
      {"by", text_or_null(execution.by)},
      {"reason", word_or_null(execution.reason)},
      {"message", text_or_null(execution.message)},
      {"jobs_created", execution.jobs_created},
      {"jobs_completed", execution.jobs_completed},
      {"jobs_failed", execution.jobs_failed},
      {"jobs_skipped", execution.jobs_skipped},
      {"machines_processed", execution.machines_processed},
      {"bytes_read", execution.bytes_read},
      {"bytes_transferred", execution.bytes_transferred},
      {"bytes_stored", execution.bytes_stored},
      {"created_job_ids", jobs},
      {"created_at", iso_time(execution.created_at)},
      {"started_at", time_or_null(execution.started_at)},
      {"completed_at", time_or_null(execution.completed_at)},
      {"execution_time_seconds", seconds_or_null(execution.started_at, execution.completed_at)},
      {"progress", progress(view.progress)},
  });
}

std::string final_word(RunStatus status) { return std::string{to_word(status)} + "\n"; }

}  // namespace holdfast::views
