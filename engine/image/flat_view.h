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
// after punching. The file is as large as what it holds, and has the newest layer's cluster size and codec.
//
// Opening reads the tables of all layers. Immutable then; any thread may call; memory is bounded, but for
// 24 bytes for each segment that has data and a bit or two for each L2 table that the disk could have.
class FlatView {
 public:
  // EINVAL when it would be an image that QEMU doesn't open.
  static Result<std::shared_ptr<FlatView>> open(std::shared_ptr<const Stack> stack);
  virtual ~FlatView() = default;

  virtual std::uint64_t size() const = 0;
  // All of `into`, or an error, as Stack::read does.
  virtual Result<> read(std::uint64_t offset, ByteSpan into) const = 0;
};

}  // namespace holdfast::image
