#include "engine/sources/qmp/scratch_watch.h"

#include <chrono>

#include "catalog/base/bytes.h"
#include "catalog/base/disk.h"

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

ScratchWatch::ScratchWatch(std::string directory, std::function<void()> end_copying)
    : directory_(std::move(directory)), end_copying_(std::move(end_copying)) {
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
      ended_ = room.error();  // before the copying ends, so that the reason is known when that is found
      const MutexUnlock unlocked(mutex_);
      end_copying_();
      return;
    }
    changed_.wait_until(mutex_, std::chrono::steady_clock::now() + kPause);
  }
}

}  // namespace holdfast::source::qmp
