// Checks that a qcow2 file is as long as its tables say, because QEMU reads bytes beyond the end of a file as
// zeros without an error.
#pragma once

#include "catalog/base/disk.h"

namespace holdfast::source {

// EIO if the file was cut off. Reads all L2 tables: an eighth of a promille of the disk. A file whose header
// is not understood passes, because QEMU reads more formats than this check does.
Result<> check_holds_all_clusters(const File& image);

}  // namespace holdfast::source
