// A capture of what nobody can freeze, or need freeze: it makes nothing at the source.
#pragma once

#include <utility>

#include "engine/sources/driver.h"

namespace holdfast::source {

// Its disks are added by whoever derives from it. There is nothing to take away, whatever comes of the point.
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
