// Definitions whose files are absent for a moment, because `mv` from another file system unlinks config.json
// before it writes the new one (rule 3). The definition itself stays.
#pragma once

#include <unordered_map>

#include "catalog/base/clock.h"
#include "catalog/base/mutex.h"
#include "fsd/tree/tree_node.h"

namespace holdfast::tree {

// Any thread may call.
class Absences {
 public:
  explicit Absences(const Clock& clock) : clock_(clock) {}

  void begin(const TreeNode& node) {
    const MutexLock lock(mutex_);
    until_[node] = clock_.now() + kMoment;
  }
  void end(const TreeNode& node) {
    const MutexLock lock(mutex_);
    until_.erase(node);
  }
  bool has(const TreeNode& node) {
    const MutexLock lock(mutex_);
    const auto found = until_.find(node);
    if (found == until_.end()) return false;
    if (clock_.now() < found->second) return true;
    until_.erase(found);
    return false;
  }

 private:
  static constexpr auto kMoment = std::chrono::seconds(5);

  const Clock& clock_;
  Mutex mutex_;
  std::unordered_map<TreeNode, Time, TreeNodeHash> until_ HF_GUARDED_BY(mutex_);
};

}  // namespace holdfast::tree
