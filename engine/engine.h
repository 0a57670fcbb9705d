// The engine: owns, starts and stops everything below, and gives access to it.
#pragma once

#include <memory>
#include <string>

#include "engine/common/observer.h"
#include "engine/objects/objects.h"
#include "engine/reading/reading.h"
#include "engine/requests/requests.h"
#include "engine/status/status.h"

namespace holdfast {

struct EngineOptions {
  std::string state;                          // a directory: catalog.sqlite, scratch space, sockets
  const Clock* clock = nullptr;               // null: the machine's
  Observer* observer = nullptr;               // may be null; outlives the engine
  std::string hooks = "/etc/holdfast/hooks";  // a directory: the commands that flows may name
};

// The four classes live as long as the engine; opened images must be gone before it is. Any thread may call.
class Engine {
 public:
  // Opens the state directory, ends jobs that an earlier process left running, and removes its leftovers.
  static Result<std::unique_ptr<Engine>> start(const EngineOptions& options);
  ~Engine();  // calls stop()
  // Ends running jobs at a safe place; no new ones start.
  void stop();
  // Whether a repository hangs, so that nobody may wait for threads inside of it, nor close its files. Waits
  // a moment for its answer. Call after stop() has begun.
  bool repository_hangs();
  // Whether nothing but that keeps stop() from returning: each job has ended, and each source is let go. Jobs
  // that hang get some seconds.
  bool is_kept_by_a_repository();

  Objects& objects();
  Status& status();
  Requests& requests();
  Reading& reading();

 private:
  struct Parts;
  explicit Engine(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace holdfast
