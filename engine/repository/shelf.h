// The repositories that are open.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "catalog/base/mutex.h"
#include "engine/repository/place.h"

namespace holdfast::repository {

// Opens a repository at its first use and keeps it, with its lease, until drop(). Any thread may call.
class Shelf {
 public:
  // Returns EIO if the repository is absent or another one lies there; checked at each call.
  Result<std::shared_ptr<Place>> place(const Repository& repository);
  // Says why the last place() failed; "" if it succeeded. Never waits for a file system.
  std::string trouble(Id repository) const;
  // Closes the repository, after its definition changed or it was deleted.
  void drop(Id repository);

 private:
  Result<std::shared_ptr<Place>> find(const Repository& repository);

  Mutex mutex_;
  std::map<Id, std::shared_ptr<Place>> open_ HF_GUARDED_BY(mutex_);
  mutable Mutex troubles_mutex_;
  std::map<Id, std::string> troubles_ HF_GUARDED_BY(troubles_mutex_);
};

}  // namespace holdfast::repository
