#include "fsd/mount/node_ids.h"

namespace holdfast::mount {

// The kernel never looks the root up and never forgets it.
NodeIds::NodeIds(std::uint64_t generation) : generation_(generation) {
  known_[kRoot] = {tree::TreeNode{}, 1};
  ids_[tree::TreeNode{}] = kRoot;
}

std::uint64_t NodeIds::remember(const tree::TreeNode& node) {
  const MutexLock lock(mutex_);
  const auto [at, is_new] = ids_.try_emplace(node, last_ + 1);
  if (is_new) known_[++last_] = {node, 0};
  ++known_[at->second].lookups;
  return at->second;
}

void NodeIds::forget(std::uint64_t id, std::uint64_t lookups) {
  const MutexLock lock(mutex_);
  const auto found = known_.find(id);
  if (found == known_.end() || id == kRoot) return;
  if (found->second.lookups > lookups) {
    found->second.lookups -= lookups;
    return;
  }
  ids_.erase(found->second.node);
  known_.erase(found);
}

std::optional<tree::TreeNode> NodeIds::find(std::uint64_t id) const {
  const MutexLock lock(mutex_);
  const auto found = known_.find(id);
  if (found == known_.end()) return std::nullopt;
  return found->second.node;
}

std::size_t NodeIds::size() const {
  const MutexLock lock(mutex_);
  return known_.size();
}

}  // namespace holdfast::mount
