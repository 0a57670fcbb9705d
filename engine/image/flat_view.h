// A whole disk as one qcow2 file that rests on nothing, made as it is read.
#pragma once

#include <cstdint>
#include <memory>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"
#include "engine/image/stack.h"

namespace holdfast::image {

// Header and tables are computed; data and compressed clusters are passed through as they are stored, and
// checked as the stack checks them. Its bytes depend on what the stack's layers show, not on which layer
// shows it or where in a file that is: they stay the same after a restart, a merge of layers (merge.h) and
// after punching. The file is as large as what it holds, has no holes, and has the newest layer's cluster
// size and codec.
//
// What it costs: opening, nothing. The first read walks the tables of all layers once (64 KiB of L2 a layer
// for each 512 MiB that it has data in, with clusters of 64 KiB), while other readers wait. From then on
// memory is bounded, but for 24 bytes for each segment of 512 MiB that has data and a bit or two for each L2
// table that the disk could have: 1 MiB for 16 TiB. Any thread may call.
class FlatView {
 public:
  // What the view of this stack has in bytes, for whoever records it. It walks the tables as a first read
  // does, and keeps none of them. EINVAL when it would be an image that QEMU doesn't open.
  static Result<std::uint64_t> size_of(const Stack& stack);

  // `size` is what size_of() said of the same point, be it of other layers. Every read is EIO when it was
  // not.
  static Result<std::shared_ptr<FlatView>> open(std::shared_ptr<const Stack> stack, std::uint64_t size);
  virtual ~FlatView() = default;

  virtual std::uint64_t size() const = 0;
  // All of `into`, or an error, as Stack::read does.
  virtual Result<> read(std::uint64_t offset, ByteSpan into) const = 0;
};

}  // namespace holdfast::image
