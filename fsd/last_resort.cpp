#include "fsd/last_resort.h"

#include <sys/mount.h>

#include <cstdlib>

#include "catalog/base/log.h"

namespace holdfast {

LastResort::~LastResort() {
  {
    const MutexLock lock(mutex_);
    has_ended_ = true;
  }
  ended_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void LastResort::arm() {
  thread_ = std::thread([this] { wait(); });
}

void LastResort::wait() {
  const auto end = CondVar::Steady::now() + kPatience;
  const MutexLock lock(mutex_);
  while (!has_ended_)
    if (!ended_.wait_until(mutex_, end)) break;
  if (has_ended_) return;
  log::warning("a repository or a source hangs; ending without it");
  ::umount2(mount_point_.c_str(), MNT_DETACH);
  std::_Exit(EXIT_SUCCESS);
}

}  // namespace holdfast
