// A capture of disks that are not frozen; it makes nothing at the source.
#pragma once

#include <optional>
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

  // Returns why no increment can rest on the parent; nullopt if one can.
  static std::optional<FullReason> why_full(const DiskRequest& request, std::uint64_t capacity) {
    if (!request.last_capacity) return FullReason::no_parent;
    if (*request.last_capacity != capacity) return FullReason::capacity_changed;
    return std::nullopt;
  }

  std::vector<FrozenDisk> disks_;

 private:
  const Time at_;
  const Consistency consistency_;
};

}  // namespace holdfast::source
