// Who reads what lies in repositories, now and lately: what law 12 asks before anything goes.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>

#include "catalog/base/clock.h"
#include "catalog/base/id.h"

namespace holdfast::repository {

// Any thread may call. It outlives what it hands out.
class Readers {
 public:
  // While a point's files are looked up in the catalog and opened; and while points leave the catalog, or a
  // file is exchanged for another: neither happens during the other. Both are short.
  std::shared_lock<std::shared_mutex> opening() { return std::shared_lock(gate_); }
  std::unique_lock<std::shared_mutex> changing() { return std::unique_lock(gate_); }

  // The point is open for as long as this lives. Whoever opens is in `opening()`.
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

  // By an earlier life.
  void was_read(Id point, Time at);

  enum class Use { none, open, read };  // read: it was open within the last hour
  Use use(Id point, Time now);

  // All files of a machine, as a verification needs them: waits while they are being pruned. Null: it was
  // given up.
  std::shared_ptr<void> study(Id machine, const std::function<bool()>& gave_up);
  // Nobody studies the machine while this lives; null while somebody does.
  std::shared_ptr<void> clear(Id machine);

 private:
  struct Reading {
    int open = 0;
    Time last{};
  };

  std::shared_mutex gate_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable moved_;
  std::map<Id, Reading> readings_;  // by point
  std::map<Id, int> studied_;       // by machine: how many study it, -1 while it is pruned
};

}  // namespace holdfast::repository
