#include "fsd/tree/sight.h"

#include "engine/objects/kinds.h"

namespace holdfast::tree {

bool Sight::covers(ObjectKind kind, const Ownership& ownership) {
  return may_see(reader_, ownership) && covers_collection(kind_of(kind).reached_through);
}

bool Sight::covers(ObjectKind kind, Id id) {
  if (reader_.uid == 0) return true;
  const auto ownership = engine_.objects().ownership(kind, id);
  return ownership && covers(kind, *ownership);
}

bool Sight::covers_collection(ObjectKind kind) {
  if (reader_.uid == 0 || !kind_of(kind).users) return true;  // everybody may list jobs/
  const auto known = collections_.find(kind);
  if (known != collections_.end()) return known->second;
  const auto ownership = engine_.objects().ownership(kind, 0);
  return collections_[kind] = ownership && may_see(reader_, *ownership);
}

}  // namespace holdfast::tree
