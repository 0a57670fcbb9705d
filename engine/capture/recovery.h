// Cleans up after a capture that was cut off: the repository, then the source, then the catalog. This is the
// order of law 2, because uncommitted bytes must be gone before the source's bitmaps are merged back.
#pragma once

#include <vector>

#include "engine/common/services.h"

namespace holdfast::capture {

// Idempotent. While a source or a repository is away it returns an error, and the rest stays recorded. The
// sweeper (runs/sweeper) tries again at growing intervals, the machine's next capture at the latest. The
// caller ensures that no capture of the machine is running.
Result<> recover(const Services& services, Id machine);

// Returns the machines that have something to recover.
Result<std::vector<Id>> machines_to_recover(Catalog& catalog);

}  // namespace holdfast::capture
