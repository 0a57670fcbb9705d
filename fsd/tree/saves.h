// The definition that each process saved last, until it opens another file. A tool that copies a file over
// config.json sets owner and mode of the copy next (cp -p, install, mv). That succeeds and changes nothing,
// because both follow from the object.
#pragma once

#include "catalog/base/lru.h"
#include "catalog/base/mutex.h"
#include "fsd/tree/asker.h"
#include "fsd/tree/tree_node.h"

namespace holdfast::tree {

// Any thread may call. Memory has the few hundred last processes.
class Saves {
 public:
  void note(const TreeNode& config, const Asker& asker) {
    const MutexLock lock(mutex_);
    last_.put(asker.pid, config);
  }
  void forget(const Asker& asker) {
    const MutexLock lock(mutex_);
    last_.erase(asker.pid);
  }
  bool is_last(const TreeNode& config, const Asker& asker) {
    const MutexLock lock(mutex_);
    const TreeNode* found = last_.find(asker.pid);
    return found != nullptr && *found == config;
  }

 private:
  static constexpr std::size_t kMost = 256;

  Mutex mutex_;
  Lru<std::int32_t, TreeNode> last_ HF_GUARDED_BY(mutex_){kMost};
};

}  // namespace holdfast::tree
