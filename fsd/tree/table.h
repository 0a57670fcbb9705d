#pragma once

#include <span>

#include "fsd/tree/row.h"

namespace holdfast::tree {

// All rows of the tree. A directory's row stands before the rows of its content.
std::span<const TableRow> table();

}  // namespace holdfast::tree
