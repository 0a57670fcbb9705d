// Puts right what a capture that never ended has left: in the repository, then at the source, then in
// the catalog. The order is law 2: bytes that the catalog doesn't know as committed are gone before the
// source's bitmaps are merged back.
#pragma once

#include <vector>

#include "engine/capture/services.h"

namespace holdfast::capture {

// Idempotent; what can't be done now (a source or a repository that is away) is an error, stays recorded,
// and is tried again by and by (runs/sweeper), at the latest before the machine's next capture. The caller
// sees to it that no capture of the machine is running.
Result<> recover(const Services& services, Id machine);

// The machines that have something to recover.
Result<std::vector<Id>> machines_to_recover(Catalog& catalog);

}  // namespace holdfast::capture
