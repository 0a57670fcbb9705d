// README.txt: a written introduction, then every path and every command of the table.
#include <algorithm>

#include "fsd/tree/outline.h"
#include "fsd/tree/row_makers.h"
#include "fsd/tree/table.h"
#include "fsd/views/readme.h"

namespace holdfast::tree {
namespace {

std::string all_of(const Outline& outline) {
  std::string paths = "\nThe tree:\n\n", commands = "\nThe commands:\n";
  for (RowIndex i = 1; i < outline.size(); ++i) {
    const TableRow& row = *outline.at(i).row;
    if (row.kind == NodeKind::scratch) continue;
    const bool is_directory =
        row.kind == NodeKind::directory || row.kind == NodeKind::collection || row.kind == NodeKind::object;
    const std::string path = outline.shown_path(i).substr(1) + (is_directory ? "/" : "");
    paths += fmt::format("{}\n    {}\n", path, row.about);
    if (row.kind != NodeKind::control) continue;
    commands += fmt::format("\n{}\n", path);
    for (const verbs::Verb& verb : row.verbs)
      commands += fmt::format("    {}\n        {}\n", verbs::synopsis(verb), verb.meaning);
  }
  return paths + commands;
}

}  // namespace

Result<std::string> guide(Engine&, const TreeNode&) {
  static const std::string text = std::string{views::readme()} + all_of(Outline(table()));
  return text;
}

}  // namespace holdfast::tree
