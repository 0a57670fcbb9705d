#include "catalog/model/execution_json.h"

#include "catalog/model/caller_json.h"
#include "catalog/model/json_text.h"

namespace holdfast {
namespace {

using Json = nlohmann::ordered_json;

Json time_or_null(const std::optional<Time>& time) { return time ? Json(iso_time(*time)) : Json(nullptr); }

}  // namespace

Json execution_json(const Execution& execution, const std::string& flow, const std::vector<Named>& jobs) {
  Json names = Json::array();
  for (const Named& job : jobs) names.push_back(job.name);
  Json seconds = nullptr;
  if (execution.started_at && execution.completed_at)
    seconds = static_cast<double>((*execution.completed_at - *execution.started_at).count()) / 1000.0;
  return {
      {"revision", execution.revision},
      {"id", execution.name},
      {"flow", flow},
      {"status", to_word(execution.status)},
      {"execution_type", to_word(execution.type)},
      {"by", caller_or(execution.by, execution.type == ExecutionType::scheduled ? "daemon" : Json())},
      {"by_name", json::text_or_null(execution.by_name)},
      {"reason", execution.reason ? Json(to_word(*execution.reason)) : Json(nullptr)},
      {"message", json::text_or_null(execution.message)},
      {"jobs_created", execution.jobs_created},
      {"jobs_completed", execution.jobs_completed},
      {"jobs_failed", execution.jobs_failed},
      {"jobs_skipped", execution.jobs_skipped},
      {"machines_processed", execution.machines_processed},
      {"bytes_read", execution.bytes_read},
      {"bytes_transferred", execution.bytes_transferred},
      {"bytes_stored", execution.bytes_stored},
      {"created_job_ids", std::move(names)},
      {"created_at", iso_time(execution.created_at)},
      {"started_at", time_or_null(execution.started_at)},
      {"completed_at", time_or_null(execution.completed_at)},
      {"execution_time_seconds", std::move(seconds)},
  };
}

}  // namespace holdfast
