#include "engine/image/flat_view.h"

namespace holdfast::image {

Result<std::uint64_t> FlatView::size_of(const Stack& stack) {
  HF_TRY(const FlatLayout layout, FlatLayout::make(stack));
  return layout.offset_of(layout.end);
}

Result<> FlatView::read(std::uint64_t offset, ByteSpan into) const {
  if (into.size() > size_ || offset > size_ - into.size())
    return fail(EINVAL, "{} bytes at {} do not lie within a file of {} bytes", into.size(), offset, size_);
  HF_TRY(const auto image, this->image());
  return image->read(offset, into);
}

Result<std::shared_ptr<const FlatImage>> FlatView::image() const {
  const MutexLock lock(mutex_);
  if (image_) return image_;
  HF_TRY(FlatLayout layout, FlatLayout::make(*stack_));
  auto made = std::make_shared<const FlatImage>(stack_, std::move(layout));
  if (made->size() != size_)
    return fail_damaged(EIO, "the flat image of {} was recorded with {} bytes, but has {}",
                        stack_->layers().front()->name(), size_, made->size());
  image_ = std::move(made);
  return image_;
}

}  // namespace holdfast::image
