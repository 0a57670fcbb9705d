// Shows a whole disk as one qcow2 file without a backing file, computed while it is read.
#pragma once

#include <cstdint>
#include <memory>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"
#include "catalog/base/mutex.h"
#include "engine/image/flat_image.h"
#include "engine/image/stack.h"

namespace holdfast::image {

// Header and tables are computed. Data and compressed clusters are passed through as they are stored, and
// checked as the stack checks them.
//
// The view's bytes depend on what the stack's layers show, not on which layer shows it or where in a file.
// They stay the same after a restart, after a merge of layers (merge.h) and after punching. The file has the
// newest layer's cluster size and codec, and no holes.
//
// Opening costs nothing. The first read walks the tables of all layers once, while other readers wait: 64 KiB
// of L2 per layer for each 512 MiB in which that layer has data, with clusters of 64 KiB. Memory then grows
// by 24 bytes for each segment of 512 MiB that has data. Each possible L2 table of the disk takes a bit or
// two, or 1 MiB for 16 TiB. All other memory is bounded.
//
// Any thread may call.
class FlatView {
 public:
  // Returns the view's size in bytes, to be recorded with the point. Walks the tables as a first read does,
  // and keeps none. EINVAL if QEMU would not open such an image.
  static Result<std::uint64_t> size_of(const Stack& stack);

  // `size` is the result of size_of() for the same point, possibly over other layers. If it is wrong, every
  // read returns EIO.
  FlatView(std::shared_ptr<const Stack> stack, std::uint64_t size) : stack_(std::move(stack)), size_(size) {}

  std::uint64_t size() const { return size_; }
  // Fills all of `into`, or fails as Stack::read does.
  Result<> read(std::uint64_t offset, ByteSpan into) const;

 private:
  // The first caller makes the image; after an error the next caller tries again.
  Result<std::shared_ptr<const FlatImage>> image() const;

  const std::shared_ptr<const Stack> stack_;
  const std::uint64_t size_;
  mutable Mutex mutex_;
  mutable std::shared_ptr<const FlatImage> image_ HF_GUARDED_BY(mutex_);
};

}  // namespace holdfast::image
