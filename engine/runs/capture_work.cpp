#include "engine/runs/capture_work.h"

namespace holdfast::runs {
namespace {

JobEnd end_of(const capture::CaptureOutcome& outcome) {
  JobEnd end;
  end.bytes_read = end.bytes_transferred = outcome.bytes_read;
  end.bytes_stored = outcome.point.bytes_stored;
  end.message = outcome.remark;
  if (outcome.unplanned_full) {
    end.status = RunStatus::warning;
    const bool lied = *outcome.unplanned_full == FullReason::cbt_lied;
    end.reason = lied ? EndReason::cbt_lied : EndReason::unplanned_full;
    end.message = lied ? "the source had called changed blocks unchanged: a disk was read whole"
                       : fmt::format("a disk was read whole: {}", to_word(*outcome.unplanned_full));
    if (!outcome.remark.empty()) end.message += "; " + outcome.remark;
  }
  return end;
}

}  // namespace

decltype(Work::perform) capture_work(const capture::Services& services, capture::CaptureRequest request) {
  return [&services, request = std::move(request)](ProgressMeter& progress,
                                                   const source::Cancel& cancel) -> Result<JobEnd> {
    HF_TRY(const auto outcome, capture::back_up(services, request, progress, cancel));
    return end_of(outcome);
  };
}

}  // namespace holdfast::runs
