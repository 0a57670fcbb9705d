// A disk of a point, opened to be read.
#pragma once

#include <cstdint>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"
#include "engine/image/stack.h"

namespace holdfast {

enum class ImageForm {
  raw,    // the disk as it was
  qcow2,  // the same as one flat qcow2, made as it is read
};

// Any thread may call.
class OpenedImage {
 public:
  virtual ~OpenedImage() = default;

  virtual std::uint64_t size() const = 0;
  // All of `into`, which must lie inside, or an error. Of one that fails its checksums (EIO) the event log
  // then has who read it, and which file is damaged where.
  virtual Result<> read(std::uint64_t offset, ByteSpan into) const = 0;
  // What `offset` is in, from there on, at most `at_most` long.
  virtual Result<image::ReadExtent> extent(std::uint64_t offset, std::uint64_t at_most) const = 0;
};

}  // namespace holdfast
