#include "engine/sources/qmp/scratch_watch.h"

#include <chrono>

#include "catalog/base/disk.h"

namespace holdfast::source::qmp {
namespace {

constexpr std::chrono::milliseconds kPause{20};  // filling the least reserve within it takes 3 GB/s

}  // namespace

Result<> ScratchArea::check() const {
  HF_TRY(const auto scratch, open_directory(directory));
  HF_TRY(const Directory::Space space, scratch->space());
  if (space.free >= reserve) return {};
  return fail(ENOSPC,
              "the scratch area {} has {} bytes left; a backup keeps {} free for clusters that the guest "
              "overwrites, and for the catalog (scratch_reserve in /config.json)",
              directory, space.free, reserve);
}

ScratchWatch::ScratchWatch(ScratchArea area, std::function<void()> end_copying)
    : area_(std::move(area)), end_copying_(std::move(end_copying)) {
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
    if (const auto room = area_.check(); !room) {
      ended_ = room.error();  // before the copying ends, so that the reason is known when that is found
      const MutexUnlock unlocked(mutex_);
      end_copying_();
      return;
    }
    changed_.wait_until(mutex_, std::chrono::steady_clock::now() + kPause);
  }
}

}  // namespace holdfast::source::qmp
