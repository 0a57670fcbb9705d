// The engine over a directory of its own, for tests of what is above it. Its own calls make objects; what
// runs would make (executions, jobs, points, events) is written straight into its catalog.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "engine/engine.h"
#include "tests/lib/must.h"
#include "tests/lib/set_clock.h"
#include "tests/lib/temporary_directory.h"

namespace holdfast::test {

class StartedEngine {
 public:
  StartedEngine();
  ~StartedEngine();

  Engine& operator*() { return *engine_; }
  Engine* operator->() { return engine_.get(); }
  SetClock& clock() { return clock_; }
  std::string operator/(const std::string& name) const { return state_ / name; }

  // Runs `function(db)` in one transaction of the catalog.
  template <class Function>
  auto write(Function function) {
    auto transaction = must(db::Transaction::begin(*connection_, db::Transaction::Kind::write));
    auto result = function(*connection_);
    if (result) must(transaction.commit());
    return must(std::move(result));
  }

  // Makes and defines what is not there yet: machine m, repository r, and flow f of both. Runs connect to
  // `socket()` (silent_source.h).
  void define_all();
  std::string socket() const { return state_ / "source.sock"; }

  // An execution with one job, both running.
  Id begin_execution(Id flow, const std::string& name);
  void end_execution(Id execution, RunStatus status);

  // A committed full point in repository r, of one disk that the machine's definition names.
  Id add_point(Id machine, const std::string& name, const std::string& disk, const std::string& content);
  // Overwrites all layers of the point's disks: reading them fails.
  void damage(Id point);

  void make_events(int count);
  // A new part of the event log begins after the newest event.
  void cut_events();

  // Waits until that holds; asks whenever the engine tells of a change.
  void await(const std::function<bool()>& holds);

 private:
  class Changes final : public Observer {
   public:
    void changed(ObjectKind, Id) override;
    int count();
    void await_more_than(int count);

   private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int count_ = 0;
  };

  Id object(ObjectKind kind, std::string_view name);  // made if it is missing
  std::string directory_of(db::Connection& db, const Point& point);

  TemporaryDirectory state_, repositories_;
  SetClock clock_{*parse_iso_time("2026-11-20T02:00:00Z")};
  Changes changes_;
  const std::unique_ptr<Engine> engine_;
  const std::unique_ptr<db::Connection> connection_;  // beside those of the engine
};

}  // namespace holdfast::test
