#include "fsd/tree/differences.h"

#include "fsd/views/views.h"

namespace holdfast::tree {

Result<std::shared_ptr<const std::string>> Differences::of(const TreeNode& node,
                                                           const Reading::GaveUp& gave_up) {
  {
    const MutexLock lock(mutex_);
    if (const auto* kept = kept_.find(node)) return *kept;
  }
  HF_TRY(const DifferenceView view, engine_.reading().difference(node.object, node.extra, gave_up));
  auto text = std::make_shared<const std::string>(views::difference_json(view));
  const MutexLock lock(mutex_);
  kept_.put(node, text);
  return text;
}

}  // namespace holdfast::tree
