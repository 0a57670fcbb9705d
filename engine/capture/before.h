// What a disk held at the parent point, cluster by cluster, as sums.
#pragma once

#include <memory>
#include <vector>

#include "engine/image/content_sums.h"
#include "engine/image/stack.h"

namespace holdfast::capture {

// One thread at a time.
class Before {
 public:
  virtual ~Before() = default;
  // It is these clusters that will be asked for until the next call.
  virtual Result<> turn_to(std::uint64_t offset, std::uint64_t length) = 0;
  // Of the cluster at `offset`, of which the disk's end may leave less.
  virtual Result<image::Sum> sum_of(std::uint64_t offset, std::uint64_t length) = 0;
};

// By the sums that were written with the parent: nothing of its data is read.
class SumsBefore final : public Before {
 public:
  // `parent` outlives it.
  SumsBefore(const image::ContentReader& parent, std::uint64_t cluster_size)
      : parent_(parent), cluster_size_(cluster_size) {}

  Result<> turn_to(std::uint64_t offset, std::uint64_t length) override;
  Result<image::Sum> sum_of(std::uint64_t offset, std::uint64_t length) override;

 private:
  const image::ContentReader& parent_;
  const std::uint64_t cluster_size_;
  std::uint64_t begin_ = 0;
  std::vector<image::Sum> sums_;
};

// By its images, for a point that has no such sums.
class ImagesBefore final : public Before {
 public:
  explicit ImagesBefore(std::shared_ptr<image::Stack> parent) : parent_(std::move(parent)) {}

  Result<> turn_to(std::uint64_t, std::uint64_t) override { return {}; }
  Result<image::Sum> sum_of(std::uint64_t offset, std::uint64_t length) override;

 private:
  const std::shared_ptr<image::Stack> parent_;
  Bytes cluster_;
};

}  // namespace holdfast::capture
