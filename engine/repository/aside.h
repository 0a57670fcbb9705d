// Directories and files that were set aside: the catalog could not judge them, or knows nothing that they
// belong to, so a person deletes them (laws 12 and 21).
//
//   NAME[-N].aside    beside its former place, so that the backing names of its images stay true
//   .NAME[-N].aside   in the repository's root, where no machine's directory begins with a dot
//   aside.json        names each, with the time; written before the rename
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "catalog/base/clock.h"
#include "catalog/base/disk.h"
#include "catalog/base/mutex.h"

namespace holdfast::repository {

struct Aside {
  std::string path;  // relative to the repository
  Time since;
};

// Whether something that was set aside can have that path. No point, no layer and no document can.
bool may_lie_aside(std::string_view path);
// Returns it as it is shown: to others than root without the machine's name, which the path begins with.
Aside seen(Aside aside, bool by_root);
// Says what lies there.
std::string sentence_of(const Aside& aside);

// Knows what lies aside in one repository. Any thread may call.
class Asides {
 public:
  // Renames an entry of the repository, and returns its path from then on. An entry that lies aside without
  // being named in aside.json keeps its path.
  Result<std::string> set_aside(Directory& repository, const std::string& path);
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
