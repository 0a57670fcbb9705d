// Brings a layer's files into another repository as they are.
#pragma once

#include <functional>
#include <string>

#include "catalog/base/disk.h"
#include "engine/image/stack.h"
#include "engine/repository/place.h"

namespace holdfast::replication {

struct LayerAt {
  Directory& directory;
  repository::Place::LayerPaths paths;
};

// What is told of the bytes as they pass; an error of either ends it.
struct Toll {
  std::function<Result<>(std::uint64_t bytes)> before_moving;
  image::Watch looked_at;  // moved, or found there
};

// How many bytes had to be moved: what lies at `to` already, and is what it should be by the checksums, is
// used. All that is moved is held against the recorded checksums first, and all that lies there then is read
// back and held against them again; both files are durable afterwards. `sums_sha256`: what the checksums
// themselves must come to; "" where nobody has written that down.
//
// EIO: what lies at `from` is not what was written.
Result<std::uint64_t> carry_layer(const LayerAt& from, const LayerAt& to, const std::string& sums_sha256,
                                  const Toll& toll);

}  // namespace holdfast::replication
