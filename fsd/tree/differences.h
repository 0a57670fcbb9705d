// Where two points differ, as text. Points are sealed, so that what was worked out once stays right.
//
// Any thread may call; two that ask for the same at once both work it out. The newest few are kept.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "catalog/base/mutex.h"
#include "engine/engine.h"
#include "fsd/tree/tree_node.h"

namespace holdfast::tree {

class Differences {
 public:
  explicit Differences(Engine& engine) : engine_(engine) {}

  // Of the point that the node stands for to the one that is its extra.
  Result<std::shared_ptr<const std::string>> of(const TreeNode& node, const Reading::GaveUp& gave_up);

 private:
  struct Kept {
    TreeNode node;
    std::shared_ptr<const std::string> text;
  };

  Engine& engine_;
  Mutex mutex_;                                 // never held while the engine is asked
  std::list<Kept> kept_ HF_GUARDED_BY(mutex_);  // the newest first
};

}  // namespace holdfast::tree
