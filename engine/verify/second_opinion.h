// Compares one disk as Holdfast reads it with what QEMU reads.
#pragma once

#include "engine/image/stack.h"
#include "engine/sources/nbd/served_image.h"

namespace holdfast::verify {

// Returns damage with the offset if they differ. `watch` is told of the data that was read; its error ends
// the comparison.
Result<> compare(const image::Stack& ours, source::nbd::ServedImage& theirs, const image::Watch& watch);

}  // namespace holdfast::verify
