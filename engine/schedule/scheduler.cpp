#include "engine/schedule/scheduler.h"

#include <algorithm>

#include "catalog/base/log.h"

namespace holdfast::schedule {
namespace {

using std::chrono::milliseconds;

// Clock changes give no notice, so the thread wakes this often.
constexpr milliseconds kLongestSleep = std::chrono::seconds{30};

}  // namespace

Scheduler::~Scheduler() { stop(); }

void Scheduler::start() {
  thread_ = std::thread([this] { work(); });
}

void Scheduler::look_again() {
  {
    const MutexLock lock(mutex_);
    asked_ = true;
  }
  moved_.notify_all();
}

void Scheduler::stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  moved_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Scheduler::work() {
  const MutexLock lock(mutex_);
  while (!stopping_) {
    asked_ = false;
    milliseconds pause{};
    {
      const MutexUnlock unlocked(mutex_);
      pause = look();
    }
    const auto next = CondVar::Steady::now() + pause;
    while (!asked_ && !stopping_)
      if (!moved_.wait_until(mutex_, next)) break;
  }
}

milliseconds Scheduler::look() {
  const auto next = agenda_.look();
  if (!next)
    log::error("the scheduler could not start what is due, and tries again: {}", next.error().message);
  if (!next || !*next) return kLongestSleep;
  return std::clamp(**next - clock_.now(), milliseconds{0}, kLongestSleep);
}

}  // namespace holdfast::schedule
