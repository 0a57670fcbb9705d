#include "fsd/tree/differences.h"

#include "fsd/views/views.h"

namespace holdfast::tree {
namespace {

constexpr std::size_t kKept = 8;

}  // namespace

Result<std::shared_ptr<const std::string>> Differences::of(const TreeNode& node,
                                                           const Reading::GaveUp& gave_up) {
  {
    const MutexLock lock(mutex_);
    for (const Kept& kept : kept_)
      if (kept.node == node) return kept.text;
  }
  HF_TRY(const DifferenceView view, engine_.reading().difference(node.object, node.extra, gave_up));
  auto text = std::make_shared<const std::string>(views::difference_json(view));
  const MutexLock lock(mutex_);
  kept_.push_front({node, text});
  if (kept_.size() > kKept) kept_.pop_back();
  return text;
}

}  // namespace holdfast::tree
