// The events about images (law 15): who opened which, and what was wrong with it.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <thread>

#include "catalog/base/mutex.h"
#include "catalog/model/entities.h"
#include "engine/common/services.h"

namespace holdfast {

// Records events about images without making their readers wait for the catalog (law 20): a thread stores
// them at once, or waits for the catalog in their place. Events that the catalog can't store, for example for
// lack of room, wait in memory, and the thread tries again each second; the destructor tries a last time. The
// services must outlive it. Any thread may call.
class ImageEvents {
 public:
  explicit ImageEvents(const capture::Services& services);
  ~ImageEvents();

  // Beyond this number the oldest waiting events are dropped. The event `image.untold` then says how many.
  static constexpr std::size_t kMostWaiting = 1000;

  void tell(Id point_disk, std::string_view event, EventResult result, const std::string& reason,
            const Caller& caller);

 private:
  void work();
  Result<> record_waiting() HF_REQUIRES(mutex_);  // lets go of the mutex meanwhile

  const capture::Services& services_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<Event> waiting_ HF_GUARDED_BY(mutex_);  // the oldest first
  std::uint64_t dropped_ HF_GUARDED_BY(mutex_) = 0;
  bool stopping_ HF_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace holdfast
