#include "engine/runs/sweeper.h"

#include <algorithm>

#include "catalog/base/log.h"
#include "engine/capture/recovery.h"

namespace holdfast::runs {

using std::chrono::steady_clock;

Sweeper::Sweeper(const capture::Services& services, Runner& runner, Pace pace)
    : services_(services), runner_(runner), pace_(pace), thread_([this] { work(); }) {}

Sweeper::~Sweeper() { stop(); }

void Sweeper::take_on(Id machine) {
  {
    const MutexLock lock(mutex_);
    turns_[machine] = {steady_clock::now() + pace_.first, pace_.first};
  }
  moved_.notify_all();
}

void Sweeper::stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  moved_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Sweeper::work() {
  const MutexLock lock(mutex_);
  while (!stopping_) {
    const auto first =
        std::ranges::min_element(turns_, {}, [](const auto& entry) { return entry.second.next; });
    if (first == turns_.end()) {
      moved_.wait(mutex_);
    } else if (const auto next = first->second.next; next > steady_clock::now()) {
      moved_.wait_until(mutex_, next);
    } else {
      sweep(first->first);
    }
  }
}

void Sweeper::sweep(Id machine) {
  bool settled = false;
  const bool claimed = runner_.claim(machine);
  if (claimed) {
    const MutexUnlock unlocked(mutex_);
    const auto recovered = capture::recover(services_, machine);
    settled = recovered.has_value();
    if (settled)
      log::info("leftovers of an earlier run of machine {} are removed", machine);
    else
      log::debug("{}; the sweeper tries again", recovered.error().message);
  }
  Turn& turn = turns_.at(machine);
  if (claimed) turn.pause = std::min(turn.pause * 2, pace_.longest);
  turn.next = steady_clock::now() + turn.pause;
  if (settled) turns_.erase(machine);
  if (claimed) runner_.release(machine);  // last, because a run may then add the machine again
}

}  // namespace holdfast::runs
