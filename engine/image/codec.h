// Compresses clusters as qcow2 stores them: as zstd frames, or as raw deflate with a window of 4 KiB.
#pragma once

#include <cstddef>
#include <memory>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"
#include "engine/image/writer.h"

namespace holdfast::image {

// The compression state of one thread.
class Compressor {
 public:
  // EINVAL if the codec has no such level.
  static Result<std::unique_ptr<Compressor>> make(Codec codec, int level);
  virtual ~Compressor() = default;
  // Returns the compressed size; 0 if the result doesn't fit into `into`, so that compressing isn't
  // worthwhile.
  virtual std::size_t compress(ByteView cluster, ByteSpan into) = 0;
};

// Fills `cluster` from the beginning of `slot`; bytes after the stream are ignored. EIO if the stream is
// damaged. Any thread may call; each thread keeps its own decompressor.
Result<> decompress(bool zstd, ByteView slot, ByteSpan cluster);

// Returns the length of the stream that `slot` begins with, without the bytes after it. EIO if the stream is
// damaged. `cluster` has room for its content.
Result<std::size_t> stream_length(bool zstd, ByteView slot, ByteSpan cluster);

}  // namespace holdfast::image
