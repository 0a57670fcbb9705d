#include "engine/runs/sweeper.h"

#include <algorithm>

#include "catalog/base/log.h"
#include "catalog/stores/retention.h"
#include "engine/capture/recovery.h"
#include "engine/retention/prune.h"

namespace holdfast::runs {

Sweeper::Sweeper(const capture::Services& services, Runner& runner, Pace pace)
    : services_(services), runner_(runner), pace_(pace), taking_([this] { take(); }) {}

Sweeper::~Sweeper() { stop(); }

void Sweeper::stop() {
  services_.left_behind.close();
  if (taking_.joinable()) taking_.join();
  const MutexLock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
  while (!sweeping_.empty()) changed_.wait(mutex_);
}

void Sweeper::begin(const std::vector<Id>& claimed) {
  for (const Id machine : claimed) add(machine, Claimed::yes);
}

void Sweeper::take() {
  while (const auto added = services_.left_behind.take())
    for (const Id machine : *added) add(machine, Claimed::no);
}

void Sweeper::add(Id machine, Claimed claimed) {
  {
    const MutexLock lock(mutex_);
    const auto [entry, is_new] = sweeping_.try_emplace(machine, false);
    if (!is_new) {
      entry->second = true;
      changed_.notify_all();
      return;
    }
  }
  // stop() waits for the thread by its entry in `sweeping_`.
  std::thread([this, machine, claimed] { sweep_until_clean(machine, claimed); }).detach();
}

void Sweeper::sweep_until_clean(Id machine, Claimed claimed) {
  auto pause = pace_.first;
  bool clean = try_once(machine, claimed);
  while (!clean || !is_over(machine)) {
    switch (wait(machine, pause)) {
      case Woken::by_stop: return end(machine);
      case Woken::by_a_run: pause = pace_.first; break;
      case Woken::by_time: pause = std::min(pause * 2, pace_.longest); break;
    }
    clean = try_once(machine, Claimed::no);
  }
}

Sweeper::Woken Sweeper::wait(Id machine, std::chrono::milliseconds pause) {
  const auto end = CondVar::Steady::now() + pause;
  const MutexLock lock(mutex_);
  bool& again = sweeping_.at(machine);
  while (!stopping_ && !again)
    if (!changed_.wait_until(mutex_, end)) break;
  if (stopping_) return Woken::by_stop;
  return std::exchange(again, false) ? Woken::by_a_run : Woken::by_time;
}

bool Sweeper::try_once(Id machine, Claimed claimed) {
  if (claimed == Claimed::no && !runner_.claim(machine)) {
    // A run that was given up may hang in its repository, or a new run may have begun.
    if (const auto let_go = capture::let_go_of_ended(services_, machine); !let_go)
      log::warning("{}; it is tried again", let_go.error().message);
    return false;
  }
  const auto swept = sweep(machine);
  if (swept)
    log::info("what an earlier run left of machine {} is settled", machine);
  else
    log::warning("{}; it is tried again", swept.error().message);
  runner_.release(machine);
  return swept.has_value();
}

Result<> Sweeper::sweep(Id machine) {
  const auto recovered = capture::recover(services_, machine);
  HF_CHECK(retention::finish_merges(services_, machine));
  return recovered;
}

// Ends the machine's entry, unless a run has added the machine again meanwhile.
bool Sweeper::is_over(Id machine) {
  const MutexLock lock(mutex_);
  if (std::exchange(sweeping_.at(machine), false)) return false;
  sweeping_.erase(machine);
  changed_.notify_all();
  return true;
}

void Sweeper::end(Id machine) {
  const MutexLock lock(mutex_);
  sweeping_.erase(machine);
  changed_.notify_all();
}

Result<std::vector<Id>> machines_to_sweep(Catalog& catalog) {
  HF_TRY(std::vector<Id> machines, capture::machines_to_recover(catalog));
  HF_TRY(const auto merging, catalog.read([](db::Connection& db) { return Retention(db).merging(); }));
  std::ranges::copy(merging, std::back_inserter(machines));
  std::ranges::sort(machines);
  machines.erase(std::ranges::unique(machines).begin(), machines.end());
  return machines;
}

}  // namespace holdfast::runs
