// Reports the end of executions to the URLs that their flows name, by HTTP POSTs of status.json.
//
// Owns one thread, which sleeps while nothing is to be sent; no run waits for it. Notices are sent side by
// side. A failed one is tried a few times, after pauses that double. The result is in the execution's log; a
// notice that was given up is also an event. Notices are not kept across restarts.
#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <thread>

#include "catalog/base/mutex.h"
#include "catalog/model/entities.h"
#include "engine/common/services.h"

namespace holdfast::runs {

// Any thread may call. `services` must outlive the object.
class Notices {
 public:
  struct Pace {
    int tries = 5;
    std::chrono::milliseconds first_pause = std::chrono::seconds{2};  // doubled each time
    std::chrono::milliseconds longest_try = std::chrono::seconds{10};
    std::size_t most = 1000;  // waiting at once; further ones are dropped
  };
  Notices(const capture::Services& services, Pace pace);
  ~Notices();  // calls stop()

  // Queues the notices of an execution that has ended. Returns at once.
  void execution_ended(const Execution& execution);
  // Gives up waiting notices and ends the thread.
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
  Mutex mutex_;
  std::list<Notice> waiting_ HF_GUARDED_BY(mutex_);
  std::size_t under_way_ HF_GUARDED_BY(mutex_) = 0;
  bool stopping_ HF_GUARDED_BY(mutex_) = false;
  const std::unique_ptr<Posts> posts_;
  std::thread thread_;
};

}  // namespace holdfast::runs
