// A capture of disks that are not frozen; it makes nothing at the source.
#pragma once

#include <utility>

#include "engine/sources/driver.h"

namespace holdfast::source {

// Derived classes add the disks. Nothing must be removed, whether the point is committed or not.
class AsItIs : public Capture {
 public:
  Time frozen_at() const final { return at_; }
  Consistency consistency() const final { return consistency_; }
  const std::vector<FrozenDisk>& disks() const final { return disks_; }
  Result<> commit() final { return {}; }
  Result<> abandon() final { return {}; }

 protected:
  AsItIs(Time at, Consistency consistency) : at_(at), consistency_(consistency) {}

  std::vector<FrozenDisk> disks_;

 private:
  const Time at_;
  const Consistency consistency_;
};

}  // namespace holdfast::source
