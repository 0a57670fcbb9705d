// The repositories that are open now.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "engine/repository/place.h"

namespace holdfast::repository {

// Opens a place at its first use and keeps it, with its lease, until it is dropped. Any thread may call.
class Shelf {
 public:
  // EIO when it isn't there, or isn't the one that it should be: looked at anew each time.
  Result<std::shared_ptr<Place>> place(const Repository& repository);
  // Its definition has changed, or it is no more.
  void drop(Id repository);

 private:
  std::mutex mutex_;
  std::map<Id, std::shared_ptr<Place>> open_;
};

}  // namespace holdfast::repository
