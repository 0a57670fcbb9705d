// Machines for which a run could not remove something, at their source or in a repository.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>

#include "catalog/base/id.h"

namespace holdfast {

// Runs add machines; the sweeper takes them. It is made before both and outlives them. Any thread may call;
// one thread takes.
class LeftBehind {
 public:
  using Steady = std::chrono::steady_clock;

  // Returns at once.
  void add(Id machine);
  // Returns the machines that were added since the last call; waits for one, until `until` at the latest, and
  // returns none then. nullopt: it is closed.
  std::optional<std::set<Id>> take(const std::optional<Steady::time_point>& until);
  // Ends the wait of take(), now and from now on.
  void close();

 private:
  std::mutex mutex_;  // guards what follows
  std::condition_variable moved_;
  std::set<Id> machines_;
  bool closed_ = false;
};

}  // namespace holdfast
