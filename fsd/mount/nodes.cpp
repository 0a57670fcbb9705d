#include "fsd/mount/nodes.h"

namespace holdfast::mount {

// The kernel never looks the root up and never forgets it.
Nodes::Nodes(std::uint64_t generation) : generation_(generation) {
  nodes_[kRoot] = {tree::Place{}, 1};
  ids_[tree::Place{}] = kRoot;
}

std::uint64_t Nodes::remember(const tree::Place& place) {
  const MutexLock lock(mutex_);
  const auto [at, is_new] = ids_.try_emplace(place, last_ + 1);
  if (is_new) nodes_[++last_] = {place, 0};
  ++nodes_[at->second].lookups;
  return at->second;
}

void Nodes::forget(std::uint64_t node, std::uint64_t lookups) {
  const MutexLock lock(mutex_);
  const auto found = nodes_.find(node);
  if (found == nodes_.end() || node == kRoot) return;
  if (found->second.lookups > lookups) {
    found->second.lookups -= lookups;
    return;
  }
  ids_.erase(found->second.place);
  nodes_.erase(found);
}

std::optional<tree::Place> Nodes::find(std::uint64_t node) const {
  const MutexLock lock(mutex_);
  const auto found = nodes_.find(node);
  if (found == nodes_.end()) return std::nullopt;
  return found->second.place;
}

std::size_t Nodes::size() const {
  const MutexLock lock(mutex_);
  return nodes_.size();
}

}  // namespace holdfast::mount
