// Descriptors of files that are open for reading. All who read one file share one, so a chain whose points
// are all open costs a descriptor for each layer, not one for each layer and point.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <string>

#include "catalog/base/fd.h"
#include "catalog/base/mutex.h"
#include "catalog/base/weak_map.h"

namespace holdfast {

// Keeps no file open by itself. Any thread may call.
class ReadDescriptors {
 public:
  // Takes a descriptor that was just opened for reading by that full path, with its status. Returns the one
  // that others already have of this very file, or else the new one, for others to share. A file that
  // replaced another under the same path is not the same file.
  std::shared_ptr<const Fd> share(const std::string& path, Fd fresh, const struct stat& status);

 private:
  Mutex mutex_;
  WeakMap<std::string, const Fd> shared_ HF_GUARDED_BY(mutex_);
};

// The process's own.
ReadDescriptors& read_descriptors();

}  // namespace holdfast
