// Content of a disk at the parent point, as a sum for each cluster.
#pragma once

#include <memory>
#include <vector>

#include "engine/image/content_sums.h"
#include "engine/image/stack.h"

namespace holdfast::capture {

// Tells what the disk held before. Used by one thread at a time.
class Before {
 public:
  virtual ~Before() = default;
  // Prepares sums of this range; until the next call, only clusters of it are asked for.
  virtual Result<> turn_to(std::uint64_t offset, std::uint64_t length) = 0;
  // Returns the sum of the cluster at `offset`. `length` is shorter than a cluster at the disk's end.
  virtual Result<image::Sum> sum_of(std::uint64_t offset, std::uint64_t length) = 0;
  // Returns the first cluster of [offset, end) that was stored as data; `end` if there is none. Reads no
  // data.
  virtual Result<std::uint64_t> next_data(std::uint64_t offset, std::uint64_t end) = 0;
};

// Reads the sums stored with the parent, and none of its data.
class SumsBefore final : public Before {
 public:
  // `parent` must outlive the object.
  SumsBefore(const image::ContentReader& parent, std::uint64_t cluster_size)
      : parent_(parent), cluster_size_(cluster_size) {}

  Result<> turn_to(std::uint64_t offset, std::uint64_t length) override;
  Result<image::Sum> sum_of(std::uint64_t offset, std::uint64_t length) override;
  Result<std::uint64_t> next_data(std::uint64_t offset, std::uint64_t end) override;

 private:
  std::size_t index_of(std::uint64_t offset) const { return (offset - begin_) / cluster_size_; }

  const image::ContentReader& parent_;
  const std::uint64_t cluster_size_;
  std::uint64_t begin_ = 0;
  std::vector<image::Sum> sums_;
};

// Reads the parent's images, for a parent without stored sums.
class ImagesBefore final : public Before {
 public:
  explicit ImagesBefore(std::shared_ptr<image::Stack> parent) : parent_(std::move(parent)) {}

  Result<> turn_to(std::uint64_t, std::uint64_t) override { return {}; }
  Result<image::Sum> sum_of(std::uint64_t offset, std::uint64_t length) override;
  Result<std::uint64_t> next_data(std::uint64_t offset, std::uint64_t end) override;

 private:
  const std::shared_ptr<image::Stack> parent_;
  Bytes cluster_;
};

}  // namespace holdfast::capture
