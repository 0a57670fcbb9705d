// Gives up the reader's rights before it looks at the first byte of an image.
#pragma once

#include "catalog/base/error.h"

namespace holdfast::foreign {

// Afterwards this process has two descriptors (protocol.h) and no privileges, and can't gain more. It can
// read the image, talk through the socket, allocate bounded memory, and exit. Any other system call ends it
// at once. It dies with the thread that started it.
Result<> confine();

}  // namespace holdfast::foreign
