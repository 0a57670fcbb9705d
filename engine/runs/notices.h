// Tells whoever a flow names how its executions have ended, by HTTP POSTs of what their status.json has.
//
// One thread, owned here, which sleeps while there is nothing to tell; no run ever waits for it. Each notice
// is tried a few times, after pauses that double, all of them side by side; what came of it is in the
// execution's log, and what could not be told is an event, too. Nothing of this outlives the process.
#pragma once

#include <chrono>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "catalog/model/entities.h"
#include "engine/capture/services.h"

namespace holdfast::runs {

// Any thread may call.
class Notices {
 public:
  struct Pace {
    int tries = 5;
    std::chrono::milliseconds first_pause = std::chrono::seconds{2};  // doubled each time
    std::chrono::milliseconds longest_try = std::chrono::seconds{10};
    std::size_t most = 1000;  // that wait at once; more are told to nobody
  };
  Notices(const capture::Services& services, Pace pace);
  ~Notices();  // stop()

  // Returns at once.
  void execution_ended(const Execution& execution);
  // What has not been told by then is not.
  void stop();

 private:
  using Steady = std::chrono::steady_clock;
  struct Notice {
    Id execution = 0;
    std::string path;  // "flows/F/executions/E"
    std::string url;
    std::string body;
    int tries = 0;
    Steady::time_point due{};
  };
  class Posts;

  void work();
  void settle(Notice& notice, const std::string& wrong, bool may_pass);
  void tell(const Notice& notice, const std::string& text, bool delivered);

  const capture::Services& services_;
  const Pace pace_;
  std::mutex mutex_;  // guards what follows
  std::list<Notice> waiting_;
  std::size_t under_way_ = 0;
  bool stopping_ = false;
  const std::unique_ptr<Posts> posts_;
  std::thread thread_;
};

}  // namespace holdfast::runs
