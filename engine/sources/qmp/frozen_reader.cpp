#include "engine/sources/qmp/frozen_reader.h"

#include <algorithm>

namespace holdfast::source::qmp {
namespace {

constexpr std::uint64_t kScratchReserve = 64 * kMiB;

}  // namespace

Result<> check_scratch_space(const Directory& scratch) {
  HF_TRY(const Directory::Space space, scratch.space());
  if (space.free >= kScratchReserve) return {};
  return fail(
      ENOSPC,
      "the scratch area has {} bytes left, less than the {} that a backup keeps free: when it is full, "
      "the guest's own writes fail",
      space.free, kScratchReserve);
}

Result<std::vector<Extent>> FrozenReader::extents(std::uint64_t offset, std::uint64_t length) {
  HF_TRY(auto extents, reader_->extents(offset, length));
  HF_CHECK(check_still_frozen());
  return extents;
}

Result<> FrozenReader::read(std::span<const Range> ranges, const Sink& sink, const Cancel& cancel) {
  const auto watchful = [&](std::uint64_t offset, ByteView data) -> Result<> {
    HF_CHECK(check_scratch_space(*scratch_));
    return sink(offset, data);
  };
  HF_CHECK(reader_->read(ranges, watchful, cancel));
  return check_still_frozen();
}

Result<> FrozenReader::check_still_frozen() {
  HF_TRY(const Json jobs, source_->execute("query-jobs"));
  const auto ours =
      std::ranges::find_if(jobs, [this](const Json& job) { return text_of(job, "id") == job_; });
  const std::string status = ours == jobs.end() ? "gone" : text_of(*ours, "status");
  if (status == "running" || status == "paused" || status == "ready") return {};
  return fail(
      EIO,
      "the freeze was lost while it was read: job {} at {} is {}; somebody ended it, or the source was "
      "restarted",
      job_, source_->socket(), status);
}

}  // namespace holdfast::source::qmp
