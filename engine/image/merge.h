// Merges several layers into one (law 11).
#pragma once

#include <string>
#include <vector>

#include "catalog/base/disk.h"
#include "catalog/base/error.h"
#include "engine/image/stack.h"
#include "engine/image/writer.h"

namespace holdfast::image {

struct MergeOptions {
  std::string backing_file;  // the name of the layer below the oldest one; empty: none
  ImageId id{};
};

// Writes an image that shows what the given layers (newest first, neighbours in a chain) show together. It
// can replace them between the same neighbours. Stored clusters are copied without unpacking. Compressed ones
// keep all that their entries say, so a flat view of any point above keeps its bytes.
//
// The layers are read with checking, are not changed, and are not needed afterwards. The files are new and
// empty; the durable order is the writer's. EINVAL if the layers differ in disk size, cluster size or codec.
Result<WriterSummary> merge_layers(std::vector<LayerFiles> layers, File& image, File& sums,
                                   const MergeOptions& options);

}  // namespace holdfast::image
