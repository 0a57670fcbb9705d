#include "fsd/tree/files/wait_file.h"

#include "fsd/views/views.h"

namespace holdfast::tree {

Result<std::size_t> WaitFile::read(std::uint64_t offset, ByteSpan into) {
  HF_TRY(const RunStatus now, status());
  if (is_final(now)) return copy(views::final_word(now), offset, into);
  if (offset > 0) return 0;
  return fail(EAGAIN, "the run has not ended");
}

Result<RunStatus> WaitFile::status() const {
  if (subject_.kind == ObjectKind::job) {
    HF_TRY(const JobView view, engine_.status().job(subject_.id, Asker{}));
    return view.job.status;
  }
  HF_TRY(const ExecutionView view, engine_.status().execution(subject_.id, Asker{}));
  return view.execution.status;
}

}  // namespace holdfast::tree
