// Several layers made one (law 11).
#pragma once

#include <string>
#include <vector>

#include "catalog/base/disk.h"
#include "catalog/base/error.h"
#include "engine/image/stack.h"
#include "engine/image/writer.h"

namespace holdfast::image {

struct MergeOptions {
  std::string backing_file;  // what the oldest of them rests on; empty: nothing
  ImageId id{};
};

// Writes an image that shows what the layers (newest first, neighbours in a chain) show together, so that it
// can stand in their place below and above the same others. Stored clusters are taken as they are, compressed
// ones with all that their entries tell of them: a flat view of any point on top of it keeps its bytes.
//
// The layers are read checked, and neither changed nor needed afterwards. The files are new and empty; the
// durable order is the writer's. EINVAL for layers that differ in their disk's size, in cluster size or in
// codec.
Result<WriterSummary> merge_layers(std::vector<LayerFiles> layers, File& image, File& sums,
                                   const MergeOptions& options);

}  // namespace holdfast::image
