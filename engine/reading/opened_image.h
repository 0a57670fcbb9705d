// A disk of a point, opened to be read.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "catalog/base/mutex.h"
#include "engine/common/guard.h"
#include "engine/image/stack.h"
#include "engine/reading/image_events.h"
#include "engine/reading/shared_images.h"

namespace holdfast {

// Reads one copy; after a failed read, switches to the next copy that works. Records failed reads and
// switches: each sentence once, and a few sentences only, because a reader of a ruined file would fill the
// event log. ImageEvents and SharedImages must outlive it. Any thread may call.
class OpenedImage {
 public:
  OpenedImage(ImageEvents& events, SharedImages& images, PointDisk disk, ImageForm form, const Caller& caller,
              SharedImage first, Guard counted);

  std::uint64_t size() const { return size_; }
  // Fills `into`, which must lie inside of the image. Returns EIO for data that fails its checksums, after
  // the event log has who read it, and which file is damaged where.
  Result<> read(std::uint64_t offset, ByteSpan into) const;
  // Returns the extent at `offset`, at most `at_most` long.
  Result<image::ReadExtent> extent(std::uint64_t offset, std::uint64_t at_most) const;

 private:
  using Site = std::shared_ptr<const SharedImage>;

  template <class Read>
  auto read_somewhere(Read read) const -> decltype(read(std::declval<const SharedImage&>()));
  Site current() const;
  Site another(const std::set<Id>& but) const;  // null if there is none
  void go_on_from(const Site& site, const Error& why) const;
  void tell_of_failure(const Error& error) const;
  void tell(std::string_view event, EventResult result, const std::string& reason) const HF_REQUIRES(mutex_);

  ImageEvents& events_;
  SharedImages& images_;
  const PointDisk disk_;
  const ImageForm form_;
  const Caller caller_;
  const Guard counted_;  // counts it as open
  const std::uint64_t size_;
  mutable Mutex mutex_;
  mutable Site current_ HF_GUARDED_BY(mutex_);
  mutable std::set<std::string> told_ HF_GUARDED_BY(mutex_);
};

}  // namespace holdfast
