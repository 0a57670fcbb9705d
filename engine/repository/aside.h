// Directories that were set aside: the catalog could not judge them, so a person deletes them (laws 12 and
// 21).
//
//   DIRECTORY[-N].aside   beside its former name, so that the backing names of its images stay true
//   aside.json            names each, with the time; written before the directory is renamed
#pragma once

#include <string>
#include <vector>

#include "catalog/base/clock.h"
#include "catalog/base/disk.h"
#include "catalog/base/mutex.h"

namespace holdfast::repository {

struct Aside {
  std::string directory;  // relative to the repository
  Time since;
};

// Returns it as it is shown: to others than root without the machine's name, which the directory begins with.
Aside seen(Aside aside, bool by_root);
// Says what the directory is.
std::string sentence_of(const Aside& aside);

// Knows what lies aside in one repository. Any thread may call.
class Asides {
 public:
  // Renames a directory of the repository.
  Result<> set_aside(Directory& repository, const std::string& directory);
  // Looks which of them nobody has deleted.
  Result<> look(const Directory& repository);
  // Returns those that were there when somebody looked last. Never waits for a file system.
  std::vector<Aside> known() const;

 private:
  void learn(std::vector<Aside> found);

  Mutex writing_;  // one thread at a time writes aside.json
  mutable Mutex mutex_;
  std::vector<Aside> known_ HF_GUARDED_BY(mutex_);
};

}  // namespace holdfast::repository
