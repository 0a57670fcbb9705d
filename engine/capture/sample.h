// Checks a source's word on what has not changed (law 7).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "engine/capture/before.h"
#include "engine/sources/driver.h"

namespace holdfast::capture {

// Checks the end of the disk first, then each segment in two ways. A cluster that is called unchanged and
// zero must be zero in the parent as well; this is told from tables, and only a contradiction is read. Of the
// other clusters called unchanged, randomly chosen ones are read and compared with the parent's content. Used
// by one thread at a time.
class Sample {
 public:
  // `percent`: the share of the data called unchanged that is read; 0: none is.
  Sample(std::unique_ptr<Before> parent, std::uint32_t cluster_size, std::uint64_t capacity, unsigned percent)
      : parent_(std::move(parent)), unit_(cluster_size), capacity_(capacity), percent_(percent) {}

  static constexpr std::uint64_t kAtLeast = 16;  // clusters per segment

  struct Found {
    std::uint64_t bytes_read = 0;
    bool lie = false;  // a cluster called unchanged differs from the parent
  };
  // Compares the disk's last cluster of data that is called unchanged. A disk that was made smaller and as
  // large again has lost its end, which a source may go on to describe as data. Asks the source about a
  // segment at a time, from the end, and only where the parent has data.
  Result<Found> look_at_end(source::DiskReader& reader, std::uint64_t segment, const source::Cancel& cancel);
  // Checks a segment or less, which `extents` cover. A cluster that changes after the extents were read is no
  // lie: a source that isn't frozen says so then.
  Result<Found> look(source::DiskReader& reader, std::span<const source::Extent> extents,
                     const source::Cancel& cancel);

 private:
  Result<std::optional<std::uint64_t>> last_unchanged(source::DiskReader& reader, std::uint64_t begin,
                                                      std::uint64_t end);
  Result<> check_zeros(source::DiskReader& reader, std::span<const source::Extent> extents,
                       const source::Cancel& cancel, Found& found);
  Result<> compare(source::DiskReader& reader, std::span<const std::uint64_t> clusters,
                   const source::Cancel& cancel, Found& found);
  std::vector<std::uint64_t> unchanged_data(std::span<const source::Extent> extents) const;
  std::vector<std::uint64_t> choose(const std::vector<std::uint64_t>& clusters);
  std::uint64_t length_at(std::uint64_t cluster) const { return std::min(unit_, capacity_ - cluster); }

  const std::unique_ptr<Before> parent_;
  const std::uint64_t unit_;
  const std::uint64_t capacity_;
  const std::uint64_t percent_;
  std::mt19937_64 random_{std::random_device{}()};
};

}  // namespace holdfast::capture
