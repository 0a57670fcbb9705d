// One disk, read by us and by QEMU.
#pragma once

#include "engine/image/stack.h"
#include "engine/sources/nbd/served_image.h"

namespace holdfast::verify {

// EIO, naming the place, when they read different bytes. `watch` sees what is read of data, and its error
// ends it.
Result<> compare(const image::Stack& ours, source::nbd::ServedImage& theirs, const image::Watch& watch);

}  // namespace holdfast::verify
