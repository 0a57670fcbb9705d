#include "fsd/tree/sight.h"

namespace holdfast::tree {
namespace {

// Whose collection the way to it leads through.
ObjectKind collected(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::execution: return ObjectKind::flow;
    case ObjectKind::chain:
    case ObjectKind::disk:
    case ObjectKind::point:
    case ObjectKind::point_disk: return ObjectKind::machine;
    default: return kind;
  }
}

}  // namespace

bool Sight::covers(ObjectKind kind, const Ownership& ownership) {
  return may_see(reader_, ownership) && covers_collection(collected(kind));
}

bool Sight::covers(ObjectKind kind, Id id) {
  if (reader_.uid == 0) return true;
  const auto ownership = engine_.ownership(kind, id);
  return ownership && covers(kind, *ownership);
}

bool Sight::covers_collection(ObjectKind kind) {
  if (reader_.uid == 0 || kind == ObjectKind::job) return true;  // jobs/ is open to all
  const auto known = collections_.find(kind);
  if (known != collections_.end()) return known->second;
  const auto ownership = engine_.ownership(kind, 0);
  return collections_[kind] = ownership && may_see(reader_, *ownership);
}

}  // namespace holdfast::tree
