// Finds lost clusters of an image in other layers of the same disk, which may have stored the same content of
// the same place: a later full, or the layer from before a change that was taken back.
//
// A compressed cluster is taken as its donor stores it, because the same content was compressed to the same
// bytes. Whatever is put together must match the recorded sum of the host cluster.
#pragma once

#include <memory>
#include <span>

#include "engine/image/mend.h"
#include "engine/image/stack.h"

namespace holdfast::image {

// `patient` is a stack of the image alone, read without checks: the map of its lost clusters comes from its
// tables, which may not be lost. Each donor is one other layer, read with checks. Writes what it finds into
// `image`, syncs it, and returns what is healed and still lost then.
Result<Mending> transplant(const File& sums, const std::shared_ptr<const Stack>& patient,
                           std::span<const std::shared_ptr<const Stack>> donors, const Mending& before,
                           File& image, const Watch& watch = {});

}  // namespace holdfast::image
