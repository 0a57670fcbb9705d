#include "catalog/model/rights.h"

#include <algorithm>

namespace holdfast {

bool may(const Caller& caller, const Ownership& ownership, Right right) {
  const auto granted = [&](unsigned shift) {
    return ((ownership.mode >> shift) & static_cast<std::uint32_t>(right)) != 0;
  };
  if (caller.uid == 0) return true;
  if (caller.uid == ownership.uid) return granted(6);
  if (caller.gid == ownership.gid || std::ranges::find(caller.groups, ownership.gid) != caller.groups.end())
    return granted(3);
  return granted(0);
}

bool may_see(const Caller& caller, const Ownership& ownership) {
  return may(caller, ownership, Right::read) && may(caller, ownership, Right::search);
}

}  // namespace holdfast
