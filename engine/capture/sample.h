// Checks a source's word on what has not changed, a share at a time (law 7).
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <span>

#include "engine/capture/before.h"
#include "engine/sources/driver.h"

namespace holdfast::capture {

// Reads randomly chosen clusters of each segment that the source calls unchanged, and compares them with the
// parent's content. Clusters called unchanged and zero are all checked, because no read is needed. Used by
// one thread at a time.
class Sample {
 public:
  Sample(std::unique_ptr<Before> parent, std::uint32_t cluster_size, std::uint64_t capacity, unsigned percent)
      : parent_(std::move(parent)), unit_(cluster_size), capacity_(capacity), percent_(percent) {}

  static constexpr std::uint64_t kAtLeast = 16;  // clusters per segment

  struct Found {
    std::uint64_t bytes_read = 0;
    bool lie = false;  // a cluster called unchanged differs from the parent
  };
  // Checks a segment or less, which `extents` cover. A cluster that changes after the extents were read is no
  // lie: a source that isn't frozen says so then.
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
