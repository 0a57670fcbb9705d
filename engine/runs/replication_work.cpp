#include "engine/runs/replication_work.h"

#include "catalog/model/json_text.h"

#include <nlohmann/json.hpp>

namespace holdfast::runs {
namespace {

using Json = nlohmann::ordered_json;

JobEnd end_of(const replication::ReplicationOutcome& outcome) {
  JobEnd end;
  end.bytes_transferred = outcome.bytes_transferred;
  end.bytes_stored = outcome.bytes_stored;
  end.metadata =
      json::compact(Json{{"points", outcome.points}, {"anew", outcome.anew}, {"failures", outcome.failures}});
  if (outcome.failures.empty()) return end;
  end.status = outcome.points.empty() ? RunStatus::error : RunStatus::warning;
  end.reason = outcome.is_damaged ? EndReason::damaged : EndReason::failed;
  end.message = fmt::format("{} points could not be copied; the first: {}", outcome.failures.size(),
                            outcome.failures.front());
  return end;
}

}  // namespace

decltype(Work::perform) replication_work(const capture::Services& services,
                                         replication::ReplicationRequest request) {
  return [&services, request = std::move(request)](ProgressMeter& progress,
                                                   const source::Cancel& cancel) -> Result<JobEnd> {
    HF_TRY(const auto outcome, replication::replicate(services, request, progress, cancel));
    JobEnd end = end_of(outcome);
    end.bytes_read = progress.done();
    return end;
  };
}

}  // namespace holdfast::runs
