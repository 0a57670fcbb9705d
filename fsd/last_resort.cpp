#include "fsd/last_resort.h"

#include <sys/mount.h>

#include <algorithm>
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

void LastResort::arm(std::function<bool()> is_useless) {
  const MutexLock lock(mutex_);
  is_useless_ = std::move(is_useless);
  thread_ = std::thread([this] { wait(); });
}

void LastResort::ask_no_more() {
  const MutexLock lock(mutex_);
  is_useless_ = nullptr;
}

void LastResort::wait() {
  const auto end_of_patience = CondVar::Steady::now() + kPatience;
  const MutexLock lock(mutex_);
  while (!has_ended_) {
    const auto now = CondVar::Steady::now();
    if (now >= end_of_patience || (is_useless_ && is_useless_())) end();
    ended_.wait_until(mutex_,
                      is_useless_ ? std::min(now + kBetweenQuestions, end_of_patience) : end_of_patience);
  }
}

void LastResort::end() const {
  log::warning("a repository or a source hangs; ending without it");
  ::umount2(mount_point_.c_str(), MNT_DETACH);
  std::_Exit(EXIT_SUCCESS);
}

}  // namespace holdfast
