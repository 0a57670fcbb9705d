// Tree: operations that change names.
#include <algorithm>

#include "catalog/base/text.h"
#include "engine/objects/kinds.h"
#include "fsd/tree/tree.h"

namespace holdfast::tree {

Result<TreeNode> Tree::make_directory(const TreeNode& directory, std::string_view name, const Asker& asker) {
  const auto [teller, way] = teller_of(directory);
  return refusals_.settle(teller, asker, fmt::format("mkdir {}{}", way, name),
                          audited(directory, "create", name, asker, make_unsettled(directory, name, asker)));
}

Result<> Tree::remove_directory(const TreeNode& directory, std::string_view name, const Asker& asker) {
  const auto [teller, way] = teller_of(directory);
  return refusals_.settle(
      teller, asker, fmt::format("rmdir {}{}", way, name),
      audited(directory, "remove", name, asker, remove_unsettled(directory, name, asker)));
}

Result<> Tree::rename(const TreeNode& from, std::string_view old_name, const TreeNode& to,
                      std::string_view new_name, const Asker& asker) {
  const auto [teller, way] = teller_of(from);
  const std::string what = fmt::format("rename {}{} to {}{}", way, old_name, teller_of(to).way, new_name);
  if (from == to && outline_.child(from.row, NodeKind::scratch))
    return refusals_.settle_failure(teller, asker, what, rename_beside(from, old_name, new_name, asker));
  auto done = rename_unsettled(from, old_name, to, new_name, asker);
  return refusals_.settle(teller, asker, what, audited(from, "rename", old_name, asker, std::move(done)));
}

Result<> Tree::refuse(const TreeNode& directory, std::string_view what, const Asker& asker) {
  Result<> refused = fail(EPERM, "no links, pipes or devices can be made here");
  return refusals_.settle(teller_of(directory).directory, asker, what,
                          audited(directory, "create", what, asker, std::move(refused)));
}

Result<> Tree::change(const TreeNode& node, const Change& change, const Asker& asker) {
  if (kind(node) == NodeKind::scratch) return change_scratch(node, change);
  HF_TRY(const Ownership now, ownership(node));
  const Ownership wanted{change.uid.value_or(now.uid), change.gid.value_or(now.gid),
                         change.mode.value_or(now.mode)};
  const bool is_object = kind(node) == NodeKind::object;
  const TreeNode teller = teller_of(is_object ? node : directory_of(node)).directory;
  const bool completes_copy = kind(node) == NodeKind::config && saves_.is_last(node, asker);
  if (wanted != now && !completes_copy)
    HF_CHECK(refusals_.settle(teller, asker, "chown or chmod",
                              audited(node, "own", "", asker, give(node, wanted, asker))));
  if (!change.size) return {};
  return refusals_.settle_failure(teller, asker, "truncate", resize(node, *change.size, asker));
}

Result<> Tree::change_scratch(const TreeNode& node, const Change& change) {
  const auto file = scratches_.get(node.object);
  if (!file) return fail(ENOENT, "the scratch file was removed or has expired");
  const Ownership now = file->state().ownership;
  file->own({change.uid.value_or(now.uid), change.gid.value_or(now.gid), change.mode.value_or(now.mode)});
  return change.size ? file->truncate(*change.size) : Result<>{};
}

Result<> Tree::give(const TreeNode& node, const Ownership& ownership, const Asker& asker) {
  const auto subject = own_subject(node);
  HF_CHECK(engine_.objects().count_change(asker));
  if (subject) return engine_.objects().set_ownership(subject->kind, subject->id, ownership, asker);
  return fail(EPERM, "owner and mode follow from the object that this belongs to; change the object's");
}

Result<> Tree::resize(const TreeNode& node, std::uint64_t size, const Asker& asker) {
  if (kind(node) == NodeKind::control) return {};
  HF_TRY(const Attributes attributes, this->attributes(node, asker));
  if (kind(node) == NodeKind::image && size != attributes.size)
    return fail(EROFS, "this is a backup: it cannot be changed");
  // Emptying a definition by name changes nothing: the write that follows replaces it (rule 2).
  if (size == 0 && kind(node) == NodeKind::config) return {};
  if (size != attributes.size) return fail(EINVAL, "this file can't be truncated or extended");
  return {};
}

void Tree::tell_of_refusal(const TreeNode& node, std::string_view action, std::string_view name,
                           const Error& why, const Asker& asker) {
  const auto subject = owning_subject(node);
  std::string object{outline_.at(node.row).name};
  if (subject) {
    const auto path = engine_.objects().path(subject->kind, subject->id);
    if (!path) return;  // the object is gone by now
    object = *path;
  }
  if (!name.empty()) object += fmt::format("{}{}", object.empty() ? "" : "/", name);
  const std::string_view what = subject ? kind_of(subject->kind).word : "daemon";
  engine_.objects().refused(fmt::format("{}.{}", what, action), std::move(object), why, asker);
}

Result<> Tree::check_may_change(const TreeNode& directory, const Asker& asker) {
  HF_TRY(const Ownership owner, ownership(directory));
  if (may(asker, owner, Right::write)) return {};
  return fail(EACCES, "the directory's mode does not let you change it");
}

Result<RowIndex> Tree::makeable(const TreeNode& directory, const Asker& asker) {
  if (kind(directory) != NodeKind::collection)
    return fail(EPERM, "nothing can be made, deleted or renamed in this directory");
  HF_CHECK(check_may_change(directory, asker));
  for (const RowIndex child : knot(directory).children)
    if (outline_.at(child).stands_for) return child;
  return fail(EPERM, "this collection holds no objects");
}

Result<TreeNode> Tree::make_unsettled(const TreeNode& directory, std::string_view name, const Asker& asker) {
  HF_TRY(const RowIndex row, makeable(directory, asker));
  HF_CHECK(check_name(name));
  HF_CHECK(engine_.objects().count_change(asker));
  HF_TRY(const Id id, engine_.objects().create(*outline_.at(row).stands_for, name, asker));
  return TreeNode{row, id, directory.object};
}

bool Tree::removes_slowly(const TreeNode& directory) const {
  return std::ranges::any_of(knot(directory).children,
                             [this](RowIndex child) { return outline_.at(child).row->removable; });
}

Result<> Tree::check_holds_removable(const TreeNode& directory, const Asker& asker) {
  if (removes_slowly(directory)) return check_may_change(directory, asker);
  HF_CHECK(makeable(directory, asker));
  return {};
}

Result<TreeNode> Tree::changeable(const TreeNode& directory, std::string_view name, const Asker& asker) {
  HF_TRY(const TreeNode node, lookup_unsettled(directory, name, asker));
  if (knot(node).row->removable) return node;
  HF_TRY(const Ownership owner, ownership(node));
  if (!may(asker, owner, Right::write))
    return fail(EACCES, "'{}' is not yours to delete or rename: its mode does not let you write to it", name);
  return node;
}

Result<> Tree::remove_unsettled(const TreeNode& directory, std::string_view name, const Asker& asker) {
  HF_CHECK(check_holds_removable(directory, asker));
  HF_TRY(const TreeNode node, changeable(directory, name, asker));
  HF_CHECK(engine_.objects().count_change(asker));
  return engine_.objects().remove(*knot(node).stands_for, node.object, asker);
}

Result<> Tree::rename_unsettled(const TreeNode& from, std::string_view old_name, const TreeNode& to,
                                std::string_view new_name, const Asker& asker) {
  HF_CHECK(makeable(from, asker));
  if (!(from == to)) return fail(EPERM, "an object stays in the directory of its kind");
  HF_TRY(const TreeNode node, changeable(from, old_name, asker));
  HF_CHECK(check_name(new_name));
  HF_CHECK(engine_.objects().count_change(asker));
  return engine_.objects().rename(*knot(node).stands_for, node.object, new_name, asker);
}

}  // namespace holdfast::tree
