// Differences between two points, as JSON text. Points never change, so a computed text stays right.
//
// Any thread may call; two threads that ask for the same text at once both compute it. The newest few are
// kept.
#pragma once

#include <memory>
#include <string>

#include "catalog/base/lru.h"
#include "catalog/base/mutex.h"
#include "engine/engine.h"
#include "fsd/tree/tree_node.h"

namespace holdfast::tree {

class Differences {
 public:
  explicit Differences(Engine& engine) : engine_(engine) {}

  // Compares the node's object, a point, with the node's `extra`, another point.
  Result<std::shared_ptr<const std::string>> of(const TreeNode& node, const Reading::GaveUp& gave_up);

 private:
  static constexpr std::size_t kKept = 8;

  Engine& engine_;
  Mutex mutex_;  // never held while the engine is asked
  Lru<TreeNode, std::shared_ptr<const std::string>, TreeNodeHash> kept_ HF_GUARDED_BY(mutex_){kKept};
};

}  // namespace holdfast::tree
