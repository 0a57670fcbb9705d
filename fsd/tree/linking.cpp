// Tree: links that users make and remove. A link relates two objects; it is no file.
#include <algorithm>

#include "fsd/tree/tree.h"

namespace holdfast::tree {
namespace {

// Returns the last two names of a path: "machines" and "web" of "../../../machines/web/".
std::pair<std::string_view, std::string_view> collection_and_name(std::string_view target) {
  while (target.ends_with('/')) target.remove_suffix(1);
  const std::size_t slash = target.rfind('/');
  if (slash == std::string_view::npos) return {"", target};
  const std::string_view above = target.substr(0, slash);
  return {above.substr(above.rfind('/') + 1), target.substr(slash + 1)};
}

}  // namespace

std::optional<RowIndex> Tree::attachment_in(const TreeNode& directory) const {
  for (const RowIndex child : knot(directory).children)
    if (outline_.at(child).row->attachment.attach != nullptr) return child;
  return std::nullopt;
}

Result<TreeNode> Tree::make_link(const TreeNode& directory, std::string_view name, std::string_view target,
                                 const Asker& asker) {
  const auto [teller, way] = teller_of(directory);
  return refusals_.settle(teller, asker, fmt::format("symlink {}{}", way, name),
                          attach(directory, name, target, asker));
}

Result<TreeNode> Tree::attach(const TreeNode& directory, std::string_view name, std::string_view target,
                              const Asker& asker) {
  const auto row = attachment_in(directory);
  if (!row) return fail(EPERM, "no links, pipes or devices can be made here");
  HF_CHECK(check_may_change(directory, asker));
  const Outline::Knot& link = outline_.at(*row);
  const RowIndex of_targets = outline_.at(outline_.row_of(link.row->to)).parent;
  const std::string_view collection = outline_.at(of_targets).name;
  const auto [above, wanted] = collection_and_name(target);
  if (above != collection)
    return fail(EINVAL, "'{}' is none of {}; link to ../../../{}/NAME", target, collection, collection);
  if (wanted != name)
    return fail(EINVAL, "the link to '{}' must be called '{}', not '{}'", target, wanted, name);
  const auto found = engine_.objects().find(*link.stands_for, 0, wanted);
  if (!found) return fail(ENOENT, "there is no {}/{}", collection, wanted);
  HF_TRY(const Ownership its, engine_.objects().ownership(*link.stands_for, *found));
  if (!may(asker, its, Right::write))
    return fail(EACCES, "{}/{} is not yours to take in: its mode does not let you write to it", collection,
                wanted);
  HF_CHECK(engine_.objects().count_change(asker));
  HF_CHECK((engine_.objects().*link.row->attachment.attach)(directory.object, *found, asker));
  return TreeNode{*row, *found, directory.object};
}

Result<> Tree::detach(const TreeNode& directory, std::string_view name, const Asker& asker) {
  HF_CHECK(check_may_change(directory, asker));
  HF_TRY(const TreeNode link, lookup_unsettled(directory, name, asker));
  HF_CHECK(engine_.objects().count_change(asker));
  return (engine_.objects().*knot(link).row->attachment.detach)(directory.object, link.object, asker);
}

}  // namespace holdfast::tree
