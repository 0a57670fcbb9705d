// The table as a tree: which row lies in which, and what each part of a path stands for.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fsd/tree/row.h"

namespace holdfast::tree {

// Immutable; any thread may call.
class Outline {
 public:
  struct Knot {
    const TableRow* row = nullptr;
    RowIndex parent = 0;                   // the root is its own
    std::string_view name;                 // of a fixed file; "" for a {placeholder}
    std::optional<ObjectKind> stands_for;  // a placeholder: any object of this kind …
    std::string_view suffix;               // … its name followed by this
    std::optional<ObjectKind> subject;     // whose node it is: the kind of the last object in its path
    std::vector<RowIndex> children;        // in the order of the table
  };

  // The table is the program's own: a row without its directory or with an unknown placeholder aborts.
  explicit Outline(std::span<const TableRow> rows);

  const Knot& at(RowIndex row) const { return knots_[row]; }
  std::size_t size() const { return knots_.size(); }

  // Whose node it is: whom to ask for its owner and its last change. Nobody, above all objects. A disk is a
  // part of its machine.
  std::optional<ObjectId> subject_of(const TreeNode& node) const;

  // Which objects users make in this collection.
  std::optional<ObjectKind> made_in(RowIndex collection) const;

  // The row of that path, as the table spells it.
  RowIndex row_of(std::string_view path) const;
  // The first child of that kind.
  std::optional<RowIndex> child(RowIndex directory, NodeKind kind) const;
  // The fixed file of that name in this directory: no object there may bear it.
  std::optional<RowIndex> fixed(RowIndex directory, std::string_view name) const;
  // From a link's row to an object of the row that it leads to: `names` are those that the two paths don't
  // have in common, with slashes between.
  std::string relative_target(RowIndex link, std::string_view names) const;

  // The path as people read it: "/flows/FLOW/executions/EXECUTION".
  std::string shown_path(RowIndex row) const;

 private:
  std::vector<Knot> knots_;
};

}  // namespace holdfast::tree
