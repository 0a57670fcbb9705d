// Machines for which a run could not remove something, at their source or in a repository.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "catalog/base/id.h"
#include "catalog/base/mutex.h"

namespace holdfast {

// Runs add machines; the sweeper takes them. It is made before both and outlives them. Any thread may call;
// one thread takes.
class LeftBehind {
 public:
  // Returns at once.
  void add(Id machine);
  // Waits for a machine. Returns the machines added since the last call; nullopt if closed.
  std::optional<std::set<Id>> take();
  // Ends the current and every later wait.
  void close();

  // Held while things are removed at the machine's source.
  Mutex& sweeping(Id machine);

 private:
  Mutex mutex_;
  CondVar moved_;
  std::set<Id> machines_ HF_GUARDED_BY(mutex_);
  std::map<Id, Mutex> sweeping_ HF_GUARDED_BY(mutex_);  // by machine; they stay
  bool closed_ HF_GUARDED_BY(mutex_) = false;
};

}  // namespace holdfast
