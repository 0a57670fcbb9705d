#include "engine/capture/before.h"

namespace holdfast::capture {

Result<> SumsBefore::turn_to(std::uint64_t offset, std::uint64_t length) {
  HF_TRY(sums_, parent_.read(offset / cluster_size_, divide_up(length, cluster_size_)));
  begin_ = offset;
  return {};
}

Result<image::Sum> SumsBefore::sum_of(std::uint64_t offset, std::uint64_t) {
  return sums_.at(index_of(offset));
}

Result<std::uint64_t> SumsBefore::next_data(std::uint64_t offset, std::uint64_t end) {
  for (; offset < end; offset += cluster_size_)
    if (sums_.at(index_of(offset)) != image::kZeroContent) return offset;
  return end;
}

Result<image::Sum> ImagesBefore::sum_of(std::uint64_t offset, std::uint64_t length) {
  HF_TRY(const image::ReadExtent extent, parent_->extent(offset, length));
  if (extent.kind != image::ReadExtent::Kind::data && extent.length >= length) return image::kZeroContent;
  cluster_.resize(length);
  HF_CHECK(parent_->read(offset, cluster_));
  return image::content_sum(cluster_);
}

Result<std::uint64_t> ImagesBefore::next_data(std::uint64_t offset, std::uint64_t end) {
  while (offset < end) {
    HF_TRY(const image::ReadExtent extent, parent_->extent(offset, end - offset));
    if (extent.kind == image::ReadExtent::Kind::data) break;
    offset += extent.length;
  }
  return offset;
}

}  // namespace holdfast::capture
