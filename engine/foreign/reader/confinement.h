// What the reader gives up before it looks at the first byte of an image.
#pragma once

#include "catalog/base/error.h"

namespace holdfast::foreign {

// Afterwards this process has no descriptors but its two (protocol.h), no privileges, and can't get any of
// either: it can read the image, talk through the socket, allocate a bounded amount of memory, and end.
// What it tries beyond that ends it at once. It dies with the thread that started it.
Result<> confine();

}  // namespace holdfast::foreign
