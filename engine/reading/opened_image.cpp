#include "engine/reading/opened_image.h"

namespace holdfast {
namespace {

constexpr std::size_t kMostTold = 16;

}  // namespace

OpenedImage::OpenedImage(ImageEvents& events, SharedImages& images, PointDisk disk, ImageForm form,
                         const Caller& caller, SharedImage first, Guard counted)
    : events_(events),
      images_(images),
      disk_(std::move(disk)),
      form_(form),
      caller_(caller),
      counted_(std::move(counted)),
      size_(form == ImageForm::raw ? first.stack->size() : first.view->size()),
      current_(std::make_shared<const SharedImage>(std::move(first))) {}

template <class Read>
auto OpenedImage::read_somewhere(Read read) const -> decltype(read(std::declval<const SharedImage&>())) {
  const Site first = current();
  auto done = read(*first);
  if (done) return done;
  tell_of_failure(done.error());
  std::set<Id> failed{first->repository};
  while (const Site next = another(failed)) {
    auto again = read(*next);
    if (again) {
      go_on_from(next, done.error());
      return again;
    }
    tell_of_failure(again.error());
    failed.insert(next->repository);
  }
  return done;
}

Result<> OpenedImage::read(std::uint64_t offset, ByteSpan into) const {
  return read_somewhere([&](const SharedImage& from) {
    return form_ == ImageForm::raw ? from.stack->read(offset, into) : from.view->read(offset, into);
  });
}

Result<image::ReadExtent> OpenedImage::extent(std::uint64_t offset, std::uint64_t at_most) const {
  if (form_ == ImageForm::qcow2)
    return image::ReadExtent{.kind = image::ReadExtent::Kind::data, .offset = offset, .length = at_most};
  return read_somewhere([&](const SharedImage& from) { return from.stack->extent(offset, at_most); });
}

OpenedImage::Site OpenedImage::current() const {
  const MutexLock lock(mutex_);
  return current_;
}

OpenedImage::Site OpenedImage::another(const std::set<Id>& but) const {
  auto next = images_.open(disk_, form_, but);
  if (!next) return nullptr;
  return std::make_shared<const SharedImage>(*std::move(next));
}

void OpenedImage::go_on_from(const Site& site, const Error& why) const {
  const MutexLock lock(mutex_);
  current_ = site;
  tell("image.failover", EventResult::ok, images_.detour_to(site->repository, why.message));
}

void OpenedImage::tell_of_failure(const Error& error) const {
  const MutexLock lock(mutex_);
  tell(error.damage ? "image.damaged" : "image.unreadable", EventResult::failed, error.message);
}

void OpenedImage::tell(std::string_view event, EventResult result, const std::string& reason) const {
  if (told_.size() < kMostTold && told_.insert(reason).second)
    events_.tell(disk_.id, event, result, reason, caller_);
}

}  // namespace holdfast
