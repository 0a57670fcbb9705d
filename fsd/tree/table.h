#pragma once

#include <span>

#include "fsd/tree/row.h"

namespace holdfast::tree {

// The whole tree. A directory stands before what it holds.
std::span<const TableRow> table();

}  // namespace holdfast::tree
