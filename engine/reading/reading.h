// Opens images for reading, and compares points.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/reading/image_events.h"
#include "engine/reading/opened_image.h"
#include "engine/reading/shared_images.h"

namespace holdfast {

namespace runs {
class Runner;
}

// Extents in which the disks of two points of a machine differ; neighbours are joined.
struct DifferenceView {
  struct Extent {
    std::uint64_t offset = 0, length = 0;
  };
  struct OfDisk {
    std::string name;
    std::optional<std::uint64_t> from_capacity, to_capacity;  // absent if that point has no such disk
    std::vector<Extent> extents;                              // the first 100,000
    std::uint64_t count = 0, bytes = 0;                       // totals of all extents
  };
  std::string machine, from, to;
  std::vector<OfDisk> disks;
};

// Everything passed to the constructor must outlive it, and it must outlive the images that it opens. Any
// thread may call.
class Reading {
 public:
  Reading(const capture::Services& services, runs::Runner& runner)
      : services_(services), runner_(runner), events_(services), images_(services) {}

  // Opens a disk of a point, and records who opened it (law 15). Needs no write to the catalog (law 20).
  Result<std::shared_ptr<OpenedImage>> open(Id point_disk, ImageForm form, const Caller& caller);
  std::int64_t open_images() const { return open_images_; }
  // Counts those that root or their machine's owner has opened.
  std::int64_t open_images_of_owners() const { return open_images_of_owners_; }

  // Compares the contents of two points of a machine, which can take long. Returns EINTR once `gave_up`
  // returns true, EINVAL for points of different machines.
  using GaveUp = std::function<bool()>;
  Result<DifferenceView> difference(Id from, Id to, const GaveUp& gave_up);

  // Reads from the event log which points were open within the last hour before this start, for law 12.
  Result<> remember_recent();

 private:
  Guard count_open_image(bool of_owner);

  const capture::Services& services_;
  runs::Runner& runner_;
  ImageEvents events_;
  SharedImages images_;
  std::atomic<std::int64_t> open_images_ = 0, open_images_of_owners_ = 0;
};

}  // namespace holdfast
