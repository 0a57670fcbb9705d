#include "fsd/tree/outline.h"

#include <algorithm>
#include <cstdlib>

#include "catalog/base/log.h"
#include "engine/objects/kinds.h"

namespace holdfast::tree {
namespace {

// Other ways to name objects than by their kind's word.
struct Alias {
  std::string_view word;
  ObjectKind kind;
  std::string_view shown;
};
constexpr Alias kAliases[] = {
    {"member", ObjectKind::machine, "MACHINE"},
    {"machine_to_judge", ObjectKind::machine, "MACHINE"},  // the node's extra is the policy
    {"point_of_machine", ObjectKind::point, "MACHINE"},    // a machine has one there
    {"point_in_order", ObjectKind::point, "NUMBER-POINT"},
    {"when", ObjectKind::point, "WHEN"},
    {"two_points", ObjectKind::point, "A..B"},  // the node's extra is the second
    {"moment", ObjectKind::group, "WHEN"},      // the node's extra is the time
};

// Returns what a {placeholder} stands for; nullopt for an unknown one.
std::optional<Alias> placeholder(std::string_view word) {
  for (const Alias& alias : kAliases)
    if (alias.word == word) return alias;
  for (const Kind& kind : kinds())
    if (kind.word == word) return Alias{kind.word, kind.kind, kind.shown};
  return std::nullopt;
}

[[noreturn]] void wrong(std::string_view path, std::string_view why) {
  log::error("the table of the tree is wrong at {}: {}", path, why);
  std::abort();
}

std::vector<std::string_view> parts(std::string_view path) {
  std::vector<std::string_view> all;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end > 0) all.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return all;
}

}  // namespace

Outline::Outline(std::span<const TableRow> rows) {
  knots_.reserve(rows.size());
  for (const TableRow& row : rows) {
    Knot knot;
    knot.row = &row;
    if (knots_.empty()) {
      if (row.path != "/") wrong(row.path, "the first row is not the root");
      knots_.push_back(knot);
      continue;
    }
    const std::size_t slash = row.path.rfind('/');
    const std::string_view last = row.path.substr(slash + 1);
    knot.parent = row_of(slash == 0 ? "/" : row.path.substr(0, slash));
    knot.subject = knots_[knot.parent].subject;
    if (last.starts_with('{')) {
      const std::size_t close = std::min(last.find('}'), last.size());
      const std::string_view word = last.substr(1, close - 1);
      if (const auto known = placeholder(word))
        knot.stands_for = knot.subject = known->kind;
      else if (row.kind != NodeKind::scratch)
        wrong(row.path, "an unknown placeholder");
      knot.suffix = last.substr(close + 1);
    } else {
      knot.name = last;
    }
    knots_[knot.parent].children.push_back(static_cast<RowIndex>(knots_.size()));
    knots_.push_back(knot);
  }
  for (const Knot& knot : knots_)
    if (knot.row->kind == NodeKind::link) row_of(knot.row->to);
}

std::optional<ObjectId> Outline::subject_of(const TreeNode& node) const {
  const auto kind = at(node.row).subject;
  if (!kind) return std::nullopt;
  if (at(node.row).row->kind == NodeKind::scratch) return ObjectId{*kind, node.parent};
  if (*kind == ObjectKind::disk) return ObjectId{ObjectKind::machine, node.parent};
  return ObjectId{*kind, node.object};
}

std::optional<ObjectKind> Outline::made_in(RowIndex collection) const {
  if (at(collection).row->kind != NodeKind::collection) return std::nullopt;
  for (const RowIndex child : at(collection).children)
    if (at(child).row->kind == NodeKind::object) return at(child).stands_for;
  return std::nullopt;
}

RowIndex Outline::row_of(std::string_view path) const {
  for (std::size_t i = 0; i < knots_.size(); ++i)
    if (knots_[i].row->path == path) return static_cast<RowIndex>(i);
  wrong(path, "there is no such row");
}

std::optional<RowIndex> Outline::child(RowIndex directory, NodeKind kind) const {
  for (const RowIndex child : at(directory).children)
    if (at(child).row->kind == kind) return child;
  return std::nullopt;
}

std::optional<RowIndex> Outline::fixed(RowIndex directory, std::string_view name) const {
  for (const RowIndex child : at(directory).children)
    if (at(child).name == name) return child;
  return std::nullopt;
}

std::string Outline::relative_target(RowIndex link, std::string_view names) const {
  const auto from = parts(at(at(link).parent).row->path);
  const auto to = parts(at(link).row->to);
  std::size_t common = 0;
  while (common < from.size() && common + 1 < to.size() && from[common] == to[common]) ++common;
  std::string target;
  for (std::size_t i = common; i < from.size(); ++i) target += "../";
  for (std::size_t i = common; i < to.size(); ++i) {
    if (i > common) target += '/';
    if (!to[i].starts_with('{')) {
      target += to[i];
      continue;
    }
    const std::size_t end = std::min(names.find('/'), names.size());
    target += names.substr(0, end);
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return target;
}

std::string Outline::shown_path(RowIndex row) const {
  std::string path;
  for (const std::string_view part : parts(at(row).row->path)) {
    const std::size_t close = part.find('}');
    path += '/';
    if (const auto known = close == part.npos ? std::nullopt : placeholder(part.substr(1, close - 1)))
      path.append(known->shown).append(part.substr(close + 1));
    else
      path += part;
  }
  return path.empty() ? "/" : path;
}

}  // namespace holdfast::tree
