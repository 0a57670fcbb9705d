#include "engine/image/flat_view.h"

#include "catalog/base/mutex.h"
#include "engine/image/flat_image.h"

namespace holdfast::image {
namespace {

tl::unexpected<Error> no_layers() { return fail(EINVAL, "a flat image is made of a stack of layers"); }

class LazyView final : public FlatView {
 public:
  LazyView(std::shared_ptr<const LayeredStack> stack, std::uint64_t size)
      : stack_(std::move(stack)), size_(size) {}

  std::uint64_t size() const override { return size_; }

  Result<> read(std::uint64_t offset, ByteSpan into) const override {
    if (into.size() > size_ || offset > size_ - into.size())
      return fail(EINVAL, "{} bytes at {} do not lie within a file of {} bytes", into.size(), offset, size_);
    HF_TRY(const auto image, this->image());
    return image->read(offset, into);
  }

 private:
  // The first caller makes the image; after an error the next caller tries again.
  Result<std::shared_ptr<const FlatImage>> image() const {
    const MutexLock lock(mutex_);
    if (image_) return image_;
    HF_TRY(FlatLayout layout, FlatLayout::make(*stack_));
    auto made = std::make_shared<const FlatImage>(stack_, std::move(layout));
    if (made->size() != size_)
      return fail(EIO, "the flat image of {} was recorded with {} bytes, but has {}",
                  stack_->layers().front()->name(), size_, made->size());
    image_ = std::move(made);
    return image_;
  }

  const std::shared_ptr<const LayeredStack> stack_;
  const std::uint64_t size_;
  mutable Mutex mutex_;
  mutable std::shared_ptr<const FlatImage> image_ HF_GUARDED_BY(mutex_);
};

}  // namespace

Result<std::uint64_t> FlatView::size_of(const Stack& stack) {
  const auto* layers = dynamic_cast<const LayeredStack*>(&stack);
  if (layers == nullptr) return no_layers();
  HF_TRY(const FlatLayout layout, FlatLayout::make(*layers));
  return layout.offset_of(layout.end);
}

Result<std::shared_ptr<FlatView>> FlatView::open(std::shared_ptr<const Stack> stack, std::uint64_t size) {
  auto layers = std::dynamic_pointer_cast<const LayeredStack>(std::move(stack));
  if (!layers) return no_layers();
  return std::make_shared<LazyView>(std::move(layers), size);
}

}  // namespace holdfast::image
