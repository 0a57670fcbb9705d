#include "fsd/tree/asker.h"

#include <algorithm>

namespace holdfast::tree {

bool may(const Asker& asker, const Ownership& ownership, Right right) {
  const auto granted = [&](unsigned shift) {
    return ((ownership.mode >> shift) & static_cast<std::uint32_t>(right)) != 0;
  };
  if (asker.caller.uid == 0) return true;
  if (asker.caller.uid == ownership.uid) return granted(6);
  if (asker.caller.gid == ownership.gid ||
      std::ranges::find(asker.groups, ownership.gid) != asker.groups.end())
    return granted(3);
  return granted(0);
}

}  // namespace holdfast::tree
