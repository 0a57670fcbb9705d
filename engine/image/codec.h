// Clusters, squeezed and unsqueezed as qcow2 has them: zstd frames, or raw deflate with a window of 4 KiB.
#pragma once

#include <cstddef>
#include <memory>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"
#include "engine/image/writer.h"

namespace holdfast::image {

// The state of one thread that compresses.
class Compressor {
 public:
  // EINVAL for a level that the codec doesn't have.
  static Result<std::unique_ptr<Compressor>> make(Codec codec, int level);
  virtual ~Compressor() = default;
  // How many bytes of `into` the cluster takes; 0: it doesn't fit, so it is not worth it.
  virtual std::size_t compress(ByteView cluster, ByteSpan into) = 0;
};

// Fills `cluster` from the beginning of `slot`, whose tail may hold anything. EIO when that can't be. Any
// thread may call; each keeps a decompressor of its own.
Result<> decompress(bool zstd, ByteView slot, ByteSpan cluster);

}  // namespace holdfast::image
