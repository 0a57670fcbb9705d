// The kernel's ids of nodes: the node of each id, and how often the kernel has looked it up.
//
// Any thread may call. Ids come from a counter and are never reused. The generation, the time of the start,
// tells the nodes of two lives of the daemon apart for an NFS client (rule 10).
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "catalog/base/mutex.h"
#include "fsd/tree/tree_node.h"

namespace holdfast::mount {

class NodeIds {
 public:
  static constexpr std::uint64_t kRoot = 1;

  explicit NodeIds(std::uint64_t generation);

  std::uint64_t generation() const { return generation_; }
  // Returns the node's id and counts one more lookup of it.
  std::uint64_t remember(const tree::TreeNode& node);
  void forget(std::uint64_t id, std::uint64_t lookups);
  std::optional<tree::TreeNode> find(std::uint64_t id) const;
  std::size_t size() const;

 private:
  struct Known {
    tree::TreeNode node;
    std::uint64_t lookups = 0;
  };

  const std::uint64_t generation_;
  mutable Mutex mutex_;
  std::uint64_t last_ HF_GUARDED_BY(mutex_) = kRoot;
  std::unordered_map<std::uint64_t, Known> known_ HF_GUARDED_BY(mutex_);
  std::unordered_map<tree::TreeNode, std::uint64_t, tree::TreeNodeHash> ids_ HF_GUARDED_BY(mutex_);
};

}  // namespace holdfast::mount
