#include "engine/capture/content_filter.h"

#include <algorithm>

namespace holdfast::capture {

// Moves on to the segment of `offset`. A skipped segment keeps the parent's sums.
Result<> ContentFilter::enter(std::uint64_t offset) {
  const std::uint64_t segment = round_down(offset, kSegment);
  if (begun_ && segment_ == segment) return {};
  if (segment < segment_) return fail(EINVAL, "the segment at {} was finished before", segment);
  while (segment_ < segment) HF_CHECK(end_segment());
  return begin_segment();
}

Result<> ContentFilter::begin_segment() {
  if (begun_ || segment_ >= shape_.disk_size) return {};
  const std::uint64_t length = std::min(kSegment, shape_.disk_size - segment_);
  const std::size_t count = divide_up(length, std::uint64_t{shape_.cluster_size});
  before_.assign(count, image::kZeroContent);
  if (parent_ != nullptr) {
    HF_TRY(before_, parent_->read(segment_ / shape_.cluster_size, count));
  }
  now_ = before_;
  begun_ = true;
  return {};
}

Result<> ContentFilter::end_segment() {
  HF_CHECK(begin_segment());
  HF_CHECK(sums_.write(segment_ / shape_.cluster_size, now_));
  segment_ += kSegment;
  begun_ = false;
  return {};
}

Result<> ContentFilter::write(std::uint64_t offset, ByteView data) {
  HF_CHECK(enter(offset));
  while (!data.empty()) {
    const ByteView cluster = data.first(std::min<std::size_t>(shape_.cluster_size, data.size()));
    const std::uint64_t i = index(offset);
    now_[i] = image::content_sum(cluster);
    if (now_[i] != before_[i]) HF_CHECK(image_.write(offset, cluster));
    offset += cluster.size();
    data = data.subspan(cluster.size());
  }
  return {};
}

Result<> ContentFilter::zero(std::uint64_t offset, std::uint64_t length) {
  for (const std::uint64_t end = offset + length; offset < end;) {
    HF_CHECK(enter(offset));
    const std::uint64_t i = index(offset);
    const std::uint64_t step = std::min<std::uint64_t>(shape_.cluster_size, end - offset);
    now_[i] = image::kZeroContent;
    if (before_[i] != image::kZeroContent) HF_CHECK(image_.zero(offset, step));
    offset += step;
  }
  return {};
}

Result<> ContentFilter::finish_segment(std::uint64_t offset) {
  HF_CHECK(enter(offset));
  HF_CHECK(end_segment());
  return image_.finish_segment(offset);
}

Result<image::WriterSummary> ContentFilter::finish() {
  while (segment_ < shape_.disk_size) HF_CHECK(end_segment());
  return image_.finish();
}

}  // namespace holdfast::capture
