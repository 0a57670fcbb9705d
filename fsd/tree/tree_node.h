// A node of the tree: a row of the table, for one object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "catalog/base/id.h"

namespace holdfast::tree {

using RowIndex = std::uint16_t;

struct TreeNode {
  RowIndex row = 0;
  Id object = 0;  // the object of the last {placeholder} in the row's path; 0 above all objects
  Id parent = 0;  // the object of the placeholder before it
  // Distinguishes names that stand for one object: a difference's second point, a group moment's time. Mostly
  // 0.
  std::int64_t extra = 0;

  // Ignores the parent, because it follows from the object.
  bool operator==(const TreeNode& other) const {
    return row == other.row && object == other.object && extra == other.extra;
  }
};

// The inode number that stat shows. It stays the same while the object lives, across restarts, and is never
// reused. (The kernel's ids of nodes are in mount/node_ids.h.)
inline std::uint64_t inode_number(const TreeNode& node) {
  if (node.row == 0 && node.object == 0) return 1;
  std::uint64_t x = static_cast<std::uint64_t>(node.object) * 0x9e3779b97f4a7c15 + node.row;
  if (node.extra != 0) x = (x ^ (x >> 29) ^ static_cast<std::uint64_t>(node.extra)) * 0xd6e8feb86659fd93;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  x ^= x >> 31;
  return x < 2 ? x + 2 : x;
}

struct TreeNodeHash {
  std::size_t operator()(const TreeNode& node) const { return inode_number(node); }
};

}  // namespace holdfast::tree
