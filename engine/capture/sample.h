// Law 7: a source that is trusted to know what has changed is held to its word, a little at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <span>

#include "engine/capture/before.h"
#include "engine/sources/driver.h"

namespace holdfast::capture {

// Looks at a share of the clusters that a source calls unchanged, chosen at random in each segment, and holds
// them against the parent's content. Those that it calls unchanged and zero are all looked at: they need not
// be read. One thread at a time.
class Sample {
 public:
  Sample(std::unique_ptr<Before> parent, std::uint32_t cluster_size, std::uint64_t capacity, unsigned percent)
      : parent_(std::move(parent)), unit_(cluster_size), capacity_(capacity), percent_(percent) {}

  static constexpr std::uint64_t kAtLeast = 16;  // clusters of a segment

  struct Found {
    std::uint64_t bytes_read = 0;
    bool lie = false;  // a cluster that is called unchanged is not what the parent has
  };
  // Of one segment, or of less: `extents` cover it. A cluster that has changed since they were asked for,
  // which a source that isn't frozen then says, is no lie.
  Result<Found> look(source::DiskReader& reader, std::span<const source::Extent> extents,
                     const source::Cancel& cancel);

 private:
  struct Unchanged {
    std::vector<std::uint64_t> data, zero;  // offsets of clusters
  };
  Unchanged unchanged(std::span<const source::Extent> extents) const;
  std::vector<std::uint64_t> choose(const std::vector<std::uint64_t>& clusters);
  std::uint64_t length_at(std::uint64_t cluster) const { return std::min(unit_, capacity_ - cluster); }

  const std::unique_ptr<Before> parent_;
  const std::uint64_t unit_;
  const std::uint64_t capacity_;
  const std::uint64_t percent_;
  std::mt19937_64 random_{std::random_device{}()};
};

}  // namespace holdfast::capture
