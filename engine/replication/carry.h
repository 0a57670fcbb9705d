// Copies a layer's files into another repository, byte for byte.
#pragma once

#include <functional>
#include <string>

#include "catalog/base/disk.h"
#include "engine/image/layer_files.h"
#include "engine/repository/place.h"

namespace holdfast::replication {

struct LayerAt {
  Directory& directory;
  repository::Place::LayerPaths paths;
};

// Called as bytes pass; an error that one of them returns ends the copying.
struct Toll {
  std::function<Result<>(std::uint64_t bytes)> before_moving;
  image::Watch looked_at;  // bytes that were written, or found right at the target
};

// Returns the number of bytes written. Clusters that `to` holds already and that match their checksums are
// kept. Each cluster is checked before it is written, and both files are synced and then read back and
// checked. `sums_sha256` is the expected hash of the checksums file; "": unknown.
//
// Returns damage if the files at `from` are not what was written.
Result<std::uint64_t> carry_layer(const LayerAt& from, const LayerAt& to, const std::string& sums_sha256,
                                  const Toll& toll);

}  // namespace holdfast::replication
