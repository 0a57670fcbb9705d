#include "engine/runs/sweeper.h"

#include <algorithm>

#include "catalog/base/log.h"
#include "engine/capture/recovery.h"

namespace holdfast::runs {

Sweeper::Sweeper(const capture::Services& services, Runner& runner, Pace pace)
    : services_(services), runner_(runner), pace_(pace), thread_([this] { work(); }) {}

Sweeper::~Sweeper() { stop(); }

void Sweeper::stop() {
  services_.left_behind.close();
  if (thread_.joinable()) thread_.join();
}

std::optional<Sweeper::Steady::time_point> Sweeper::next() const {
  const auto first =
      std::ranges::min_element(attempts_, {}, [](const auto& entry) { return entry.second.next; });
  return first == attempts_.end() ? std::nullopt : std::optional(first->second.next);
}

void Sweeper::work() {
  while (const auto added = services_.left_behind.take(next())) {
    for (const Id machine : *added) attempts_[machine] = {Steady::now() + pace_.first, pace_.first};
    const auto due = std::ranges::find_if(
        attempts_, [now = Steady::now()](const auto& entry) { return entry.second.next <= now; });
    if (due != attempts_.end()) sweep(due->first);
  }
}

void Sweeper::sweep(Id machine) {
  Attempt& attempt = attempts_.at(machine);
  if (!runner_.claim(machine)) {
    attempt.next = Steady::now() + attempt.pause;
    return;
  }
  const auto recovered = capture::recover(services_, machine);
  attempt.pause = std::min(attempt.pause * 2, pace_.longest);
  attempt.next = Steady::now() + attempt.pause;
  if (recovered) {
    log::info("leftovers of an earlier run of machine {} are removed", machine);
    attempts_.erase(machine);
  } else {
    log::debug("{}; the sweeper tries again", recovered.error().message);
  }
  runner_.release(machine);  // last, because a run may then add the machine again
}

}  // namespace holdfast::runs
