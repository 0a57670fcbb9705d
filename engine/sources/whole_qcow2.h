// Checks that a qcow2 file is as long as its tables say, because QEMU reads bytes beyond the end of a file as
// zeros without an error.
#pragma once

#include "catalog/base/disk.h"
#include "engine/sources/driver.h"

namespace holdfast::source {

// EIO if the file was cut off. Reads all L2 tables: an eighth of a promille of the disk. A file whose header
// is not understood passes, because QEMU reads more formats than this check does.
// `cancel`, which may be null, ends the check, because many references to one table make it long.
Result<> check_holds_all_clusters(const File& image, const Cancel* cancel = nullptr);

}  // namespace holdfast::source
