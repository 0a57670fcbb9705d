// The repositories that are open now.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "engine/repository/place.h"

namespace holdfast::repository {

// Opens a place at its first use and keeps it, with its lease, until it is dropped. Any thread may call.
class Shelf {
 public:
  // EIO when it isn't there, or isn't the one that it should be: looked at anew each time.
  Result<std::shared_ptr<Place>> place(const Repository& repository);
  // Why it was not there when it was last looked for; "" when it was. Waits for no file system.
  std::string trouble(Id repository) const;
  // Its definition has changed, or it is no more.
  void drop(Id repository);

 private:
  Result<std::shared_ptr<Place>> find(const Repository& repository);

  std::mutex mutex_;
  std::map<Id, std::shared_ptr<Place>> open_;
  mutable std::mutex troubles_mutex_;
  std::map<Id, std::string> troubles_;
};

}  // namespace holdfast::repository
