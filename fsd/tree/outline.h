// The table as a tree: the parent and the children of each row, and the object that each part of a path
// stands for.
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
    std::string_view name;                 // the fixed file's; "" for a {placeholder}
    std::optional<ObjectKind> stands_for;  // a placeholder: any object of this kind …
    std::string_view suffix;               // … its name followed by this
    std::optional<ObjectKind> subject;     // the kind of the last object in the row's path
    std::vector<RowIndex> children;        // in the order of the table
  };

  // Aborts on a row without its directory or with an unknown placeholder: the table is part of the program.
  explicit Outline(std::span<const TableRow> rows);

  const Knot& at(RowIndex row) const { return knots_[row]; }
  std::size_t size() const { return knots_.size(); }

  // Returns the object that a node belongs to, which has its owner and its last change. For a disk, that is
  // its machine; nullopt above all objects.
  std::optional<ObjectId> subject_of(const TreeNode& node) const;

  // Returns the kind of the objects that users make in this collection.
  std::optional<ObjectKind> made_in(RowIndex collection) const;

  // Returns the row of a path, as the table spells it. Aborts if there is none.
  RowIndex row_of(std::string_view path) const;
  // Returns the directory's first child of that kind.
  std::optional<RowIndex> child(RowIndex directory, NodeKind kind) const;
  // Returns the directory's fixed file of that name. No object there may have the name.
  std::optional<RowIndex> fixed(RowIndex directory, std::string_view name) const;
  // Returns the relative path from a link to an object of the row that it leads to. `names`: the objects'
  // names that the two paths do not share, with slashes between.
  std::string relative_target(RowIndex link, std::string_view names) const;

  // The path as documents show it: "/flows/FLOW/executions/EXECUTION".
  std::string shown_path(RowIndex row) const;

 private:
  std::vector<Knot> knots_;
};

}  // namespace holdfast::tree
