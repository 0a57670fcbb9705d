// Knows which points are read, now and lately, because law 12 keeps them.
#pragma once

#include <functional>
#include <map>

#include "catalog/base/clock.h"
#include "catalog/base/id.h"
#include "catalog/base/mutex.h"
#include "engine/common/guard.h"

namespace holdfast::repository {

// Any thread may call. The object must outlive the guards that it returns.
class Readers {
 public:
  // Separate opening from changing in one repository; both are short. Hold opening() while files are looked
  // up in the catalog and opened. Hold changing() while points leave the catalog or a file replaces another.
  // Both are unchecked, because they return with the gate held.
  SharedLock opening(Id repository) HF_NO_THREAD_SAFETY_ANALYSIS { return SharedLock(gate(repository)); }
  ExclusiveLock changing(Id repository) HF_NO_THREAD_SAFETY_ANALYSIS {
    return ExclusiveLock(gate(repository));
  }

  // Marks the point as open while it lives. Create it while holding opening().
  class Open {
   public:
    Open(Readers& readers, Id point, const Clock& clock);
    ~Open();
    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;

   private:
    Readers& readers_;
    const Id point_;
    const Clock& clock_;
  };

  // Tells of a read that an earlier process saw.
  void was_read(Id point, Time at);

  enum class Use { none, open, read };  // read: open within the last hour
  Use use(Id point, Time now);

  // Keeps all files of a machine from being pruned while the guard lives. Waits for a pruning to end; empty
  // if `gave_up` says so first.
  Guard study(Id machine, const std::function<bool()>& gave_up);
  // Keeps the machine from being studied while the guard lives; empty if it is being studied.
  Guard clear(Id machine);

 private:
  struct Reading {
    int open = 0;
    Time last{};
  };

  SharedMutex& gate(Id repository);

  Mutex mutex_;
  std::map<Id, SharedMutex> gates_ HF_GUARDED_BY(mutex_);  // by repository; they stay
  CondVar moved_;
  std::map<Id, Reading> readings_ HF_GUARDED_BY(mutex_);  // by point
  std::map<Id, int> studied_ HF_GUARDED_BY(mutex_);  // by machine: the number of studies; -1 while pruned
};

}  // namespace holdfast::repository
