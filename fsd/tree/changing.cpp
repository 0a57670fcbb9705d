// Tree: what changes names.
#include "catalog/base/text.h"
#include "fsd/tree/tree.h"

namespace holdfast::tree {

Result<Place> Tree::make_directory(const Place& directory, std::string_view name, const Asker& asker) {
  return refusals_.settle(directory, asker, fmt::format("mkdir {}", name),
                          make_unsettled(directory, name, asker));
}

Result<> Tree::remove_directory(const Place& directory, std::string_view name, const Asker& asker) {
  return refusals_.settle(directory, asker, fmt::format("rmdir {}", name),
                          remove_unsettled(directory, name, asker));
}

Result<> Tree::rename(const Place& from, std::string_view old_name, const Place& to,
                      std::string_view new_name, const Asker& asker) {
  const std::string what = fmt::format("rename {} to {}", old_name, new_name);
  if (from == to && outline_.child(from.row, NodeKind::scratch))
    return refusals_.settle_failure(from, asker, what, rename_beside(from, old_name, new_name, asker));
  return refusals_.settle(from, asker, what, rename_unsettled(from, old_name, to, new_name, asker));
}

Result<> Tree::refuse(const Place& directory, std::string_view what, const Asker& asker) {
  Result<> refused = fail(EPERM, "nothing of that kind can be made here");
  return refusals_.settle(directory, asker, what, std::move(refused));
}

Result<> Tree::change(const Place& place, const Change& change, const Asker& asker) {
  return refusals_.settle_failure(directory_of(place), asker, "chown, chmod or truncate",
                                  change_unsettled(place, change));
}

Result<> Tree::change_unsettled(const Place& place, const Change& change) {
  HF_TRY(const Ownership now, ownership(place));
  if (kind(place) == NodeKind::scratch) {
    const auto file = scratches_.get(place.object);
    if (!file) return fail(ENOENT, "the scratch file is gone");
    file->own({change.uid.value_or(now.uid), change.gid.value_or(now.gid), change.mode.value_or(now.mode)});
    return change.size ? file->truncate(*change.size) : Result<>{};
  }
  if (change.uid.value_or(now.uid) != now.uid || change.gid.value_or(now.gid) != now.gid)
    return fail(EPERM, "the owner and the group can't be changed");
  if (change.mode.value_or(now.mode) != now.mode) return fail(EPERM, "the mode can't be changed");
  if (!change.size || kind(place) == NodeKind::control) return {};
  HF_TRY(const Attributes attributes, this->attributes(place, 0));
  if (kind(place) == NodeKind::image && *change.size != attributes.size)
    return fail(EROFS, "this is a backup: it cannot be changed");
  // A definition is emptied only for what is written next, through a handle (rule 2).
  if (*change.size == 0 && kind(place) == NodeKind::config) return {};
  if (*change.size != attributes.size) return fail(EINVAL, "it can't be cut or extended");
  return {};
}

Result<RowIndex> Tree::makeable(const Place& directory, const Asker& asker) {
  if (kind(directory) != NodeKind::collection)
    return fail(EPERM, "nothing can be made, deleted or renamed in this directory");
  HF_TRY(const Ownership owner, ownership(directory));
  if (!may(asker, owner, Right::write))
    return fail(EACCES, "the directory's mode does not let you change it");
  for (const RowIndex child : knot(directory).children)
    if (outline_.at(child).stands_for) return child;
  return fail(EPERM, "this collection holds no objects");
}

Result<Place> Tree::make_unsettled(const Place& directory, std::string_view name, const Asker& asker) {
  HF_TRY(const RowIndex row, makeable(directory, asker));
  HF_CHECK(check_name(name));
  if (outline_.fixed(directory.row, name)) return fail(EEXIST, "'{}' is a fixed file", name);
  HF_TRY(const Id id, engine_.create(*outline_.at(row).stands_for, name, asker.caller));
  return Place{row, id, directory.object};
}

Result<> Tree::remove_unsettled(const Place& directory, std::string_view name, const Asker& asker) {
  HF_CHECK(makeable(directory, asker));
  HF_TRY(const Place place, lookup(directory, name));
  if (kind(place) != NodeKind::object) return fail(ENOTDIR, "'{}' is a fixed file", name);
  return engine_.remove(*knot(place).stands_for, place.object, asker.caller);
}

Result<> Tree::rename_unsettled(const Place& from, std::string_view old_name, const Place& to,
                                std::string_view new_name, const Asker& asker) {
  HF_CHECK(makeable(from, asker));
  if (!(from == to)) return fail(EPERM, "an object stays in the directory of its kind");
  HF_TRY(const Place place, lookup(from, old_name));
  if (kind(place) != NodeKind::object) return fail(EPERM, "'{}' is a fixed file", old_name);
  HF_CHECK(check_name(new_name));
  if (outline_.fixed(from.row, new_name)) return fail(EEXIST, "'{}' is a fixed file", new_name);
  return engine_.rename(*knot(place).stands_for, place.object, new_name, asker.caller);
}

}  // namespace holdfast::tree
