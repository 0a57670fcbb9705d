// Checks whether a layer in its repository is the one that was written.
#pragma once

#include "engine/image/host_ranges.h"
#include "engine/image/layer_files.h"
#include "engine/repository/place.h"

namespace holdfast::verify {

struct StoredLayer {
  Layer layer;
  std::string machine_key;
  // Stacks that read through a layer that no point shows. What none of them sees may be holes.
  std::vector<std::vector<Layer>> seen_through{};
};

// Returns the ranges of the layer's file that may be holes, because no stack sees them.
Result<std::vector<image::HostRange>> hidden_in(const repository::Place& place, const StoredLayer& stored);

// Return damage, with a sentence that names the file, if the layer is not what was written. Any other error
// says nothing of the layer. `watch` is told of the bytes that are read; its error ends the check.
Result<> check_quickly(const repository::Place& place, const StoredLayer& stored, const image::Watch& watch);
Result<> check_every_byte(const repository::Place& place, const StoredLayer& stored,
                          const image::Watch& watch);

}  // namespace holdfast::verify
