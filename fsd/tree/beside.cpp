// Tree: the steps of editors around a config.json (rule 3). Only a rename over it is a save. The other steps
// touch `error` only when refused, so that an editor's cleanup keeps the reason why its save was refused.
#include "fsd/tree/tree.h"

namespace holdfast::tree {

Result<> Tree::check_beside(const TreeNode& directory, const Asker& asker) {
  if (!outline_.child(directory.row, NodeKind::scratch))
    return fail(EPERM, "no files can be made, deleted or renamed in this directory");
  HF_TRY(const Ownership owner, ownership(directory));
  if (!may(asker, owner, Right::write))
    return fail(EACCES, "the directory's mode does not let you change it");
  return {};
}

Result<Tree::Created> Tree::create(const TreeNode& directory, std::string_view name, std::uint32_t mode,
                                   const OpenMode& how, const Asker& asker) {
  const auto [teller, way] = teller_of(directory);
  return refusals_.settle_failure(teller, asker, fmt::format("create {}{}", way, name),
                                  create_unsettled(directory, name, mode, how, asker));
}

Result<> Tree::unlink(const TreeNode& directory, std::string_view name, const Asker& asker) {
  const auto [teller, way] = teller_of(directory);
  const std::string what = fmt::format("unlink {}{}", way, name);
  if (attachment_in(directory)) return refusals_.settle(teller, asker, what, detach(directory, name, asker));
  return refusals_.settle_failure(teller, asker, what, unlink_unsettled(directory, name, asker));
}

Result<Tree::Created> Tree::create_unsettled(const TreeNode& directory, std::string_view name,
                                             std::uint32_t mode, const OpenMode& how, const Asker& asker) {
  HF_CHECK(check_beside(directory, asker));
  if (const auto row = outline_.fixed(directory.row, name)) {
    if (outline_.at(*row).row->kind != NodeKind::config)
      return fail(EPERM, "'{}' is the name of a fixed file that is absent now", name);
    const TreeNode node{*row, directory.object, directory.parent};
    HF_TRY(auto file, held(asker, [&] { return open_config(node, {how.read, how.write, true}, asker); }));
    absences_.end(node);
    return Created{node, std::move(file)};
  }
  const RowIndex row = *outline_.child(directory.row, NodeKind::scratch);
  const Ownership owner{asker.uid, asker.gid, mode};
  HF_TRY(const Id id, scratches_.create(directory, name, owner));
  const TreeNode node{row, id, directory.object};
  auto file = held(asker, [&] { return open_unsettled(node, {}, asker, never); });
  if (!file) scratches_.remove(id);
  HF_CHECK(file);
  return Created{node, *std::move(file)};
}

Result<> Tree::unlink_unsettled(const TreeNode& directory, std::string_view name, const Asker& asker) {
  HF_CHECK(check_beside(directory, asker));
  HF_TRY(const TreeNode node, lookup_unsettled(directory, name, asker));
  if (kind(node) == NodeKind::scratch) {
    scratches_.remove(node.object);
    return {};
  }
  if (kind(node) != NodeKind::config) return fail(EPERM, "'{}' is a fixed file", name);
  absences_.begin(node);
  return {};
}

Result<> Tree::rename_beside(const TreeNode& directory, std::string_view old_name, std::string_view new_name,
                             const Asker& asker) {
  HF_CHECK(check_beside(directory, asker));
  HF_TRY(const TreeNode from, lookup_unsettled(directory, old_name, asker));
  if (kind(from) != NodeKind::scratch) return fail(EPERM, "'{}' is a fixed file", old_name);
  const auto row = outline_.fixed(directory.row, new_name);
  if (!row) {
    scratches_.rename(from.object, new_name);
    return {};
  }
  const TreeNode onto{*row, directory.object, directory.parent};
  if (kind(onto) != NodeKind::config) return fail(EPERM, "'{}' is a fixed file", new_name);
  const auto file = scratches_.get(from.object);
  if (!file) return fail(ENOENT, "the scratch file was removed or has expired");
  HF_CHECK(commit(onto, file->text(), asker));
  scratches_.remove(from.object);
  absences_.end(onto);
  return {};
}

}  // namespace holdfast::tree
