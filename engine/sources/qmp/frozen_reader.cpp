#include "engine/sources/qmp/frozen_reader.h"

#include <algorithm>

#include "engine/sources/inside.h"
#include "engine/sources/qmp/guest_disks.h"

namespace holdfast::source::qmp {
namespace {

constexpr std::chrono::milliseconds kBetweenLooks{20};  // as in scratch_watch.cpp

}  // namespace

StillFrozen by_job(std::shared_ptr<Monitor> monitor, std::string job) {
  return [monitor = std::move(monitor), job = std::move(job)]() -> Result<> {
    HF_TRY(const Json jobs, monitor->execute("query-jobs"));
    const auto ours =
        std::ranges::find_if(jobs, [&](const Json& each) { return text_of(each, "id") == job; });
    const std::string status = ours == jobs.end() ? "gone" : text_of(*ours, "status");
    if (status == "running" || status == "paused" || status == "ready") return {};
    return fail(
        EIO,
        "the freeze was lost while it was read: job {} at {} is {}; somebody ended it, or the source was "
        "restarted",
        job, monitor->socket(), status);
  };
}

StillFrozen by_filter(std::shared_ptr<Monitor> monitor, std::string top) {
  return [monitor = std::move(monitor), top = std::move(top)]() -> Result<> {
    HF_TRY(const GuestDisks disks, GuestDisks::of(*monitor));
    if (disks.with(top) != nullptr) return {};
    return fail(EIO,
                "the freeze was lost while it was read: no device of the guest at {} writes through {} any "
                "more; somebody has given it another disk, or the source was restarted",
                monitor->socket(), top);
  };
}

Result<std::vector<Extent>> FrozenReader::extents(std::uint64_t offset, std::uint64_t length) {
  HF_CHECK(check_inside({offset, length}, size_, "the frozen disk"));
  auto extents = reader_->extents(offset, length);
  if (!extents) return tl::make_unexpected(explain(std::move(extents).error()));
  if (auto frozen = still_frozen_(); !frozen) return tl::make_unexpected(explain(std::move(frozen).error()));
  return extents;
}

Result<> FrozenReader::read(std::span<const Range> ranges, const Sink& sink, const Cancel& cancel) {
  HF_CHECK(check_inside(ranges, size_, "the frozen disk"));
  const auto watchful = [&](std::uint64_t offset, ByteView data) -> Result<> {
    if (const auto now = Clock::now(); now >= look_at_) {
      HF_CHECK(scratch_.check());
      look_at_ = now + kBetweenLooks;
    }
    return sink(offset, data);
  };
  auto read = reader_->read(ranges, watchful, cancel);
  if (read) read = still_frozen_();
  if (!read) return tl::make_unexpected(explain(std::move(read).error()));
  return {};
}

// QEMU returns EINVAL when a filter has given up its instant; a sound export never does for bytes that it
// has.
Error FrozenReader::explain(Error error) const {
  if (auto why = watch_->ended()) return *std::move(why);
  if (error.code != EINVAL) return error;
  if (const auto room = scratch_.check(); !room) return room.error();
  return Error{
      EIO, fmt::format("QEMU has given up the frozen instant, because it could not copy overwritten clusters "
                       "to {}: {}",
                       scratch_.directory, error.message)};
}

}  // namespace holdfast::source::qmp
