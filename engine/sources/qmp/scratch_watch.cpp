#include "engine/sources/qmp/scratch_watch.h"

#include "catalog/base/disk.h"
#include "catalog/base/log.h"

namespace holdfast::source::qmp {
namespace {

constexpr std::uint64_t kReserve = 64 * kMiB;
constexpr std::chrono::milliseconds kPause{20};  // filling the reserve within it takes 3 GB/s

}  // namespace

Result<> check_scratch_space(const std::string& directory) {
  HF_TRY(const auto scratch, open_directory(directory));
  HF_TRY(const Directory::Space space, scratch->space());
  if (space.free >= kReserve) return {};
  return fail(ENOSPC,
              "the scratch area {} has {} bytes left; a backup keeps {} free for clusters that the guest "
              "overwrites",
              directory, space.free, kReserve);
}

ScratchWatch::ScratchWatch(std::shared_ptr<Monitor> monitor, std::string directory,
                           std::vector<std::string> jobs)
    : monitor_(std::move(monitor)), directory_(std::move(directory)), jobs_(std::move(jobs)) {
  thread_ = std::thread([this] { watch(); });
}

ScratchWatch::~ScratchWatch() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::optional<Error> ScratchWatch::ended() {
  const MutexLock lock(mutex_);
  return ended_;
}

void ScratchWatch::watch() {
  const MutexLock lock(mutex_);
  while (!stopping_) {
    if (const auto room = check_scratch_space(directory_); !room) {
      ended_ = room.error();  // before the jobs end, so that the reason is known when they are found gone
      const MutexUnlock unlocked(mutex_);
      end_jobs();
      return;
    }
    changed_.wait_until(mutex_, std::chrono::steady_clock::now() + kPause);
  }
}

void ScratchWatch::end_jobs() {
  for (const std::string& job : jobs_)
    if (const auto cancelled = monitor_->execute("job-cancel", {{"id", job}}); !cancelled)
      log::warning("job {} was to be ended for want of scratch space: {}", job, cancelled.error().message);
}

}  // namespace holdfast::source::qmp
