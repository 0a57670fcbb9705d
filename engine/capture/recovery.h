// Cleans up after a capture that was cut off: lets go of the source, then removes the bytes in the
// repository, then settles the source's bitmaps, then removes the row.
//
// Letting go needs the source alone, so a repository that is away keeps no guest captured (law 8).
// Uncommitted bytes are gone before the source's bitmaps are merged back (law 2).
#pragma once

#include <optional>
#include <vector>

#include "engine/common/services.h"

namespace holdfast::capture {

// Removes what captures made at the machine's source, but for the bitmaps of points whose fate is open.
Result<> let_go(const Services& services, Id machine);

// Does so for runs whose jobs have ended, while another run of the machine may be active.
Result<> let_go_of_ended(const Services& services, Id machine);

// Lets go, and settles what belongs to points of the repository, or of all. Idempotent. While a source or a
// repository is away it returns an error, and the rest stays recorded. The sweeper (runs/sweeper) tries again
// at growing intervals, the machine's next capture at the latest. The caller ensures that no capture of the
// machine is running.
Result<> recover(const Services& services, Id machine, std::optional<Id> repository = {});

// Returns the machines that have something to recover.
Result<std::vector<Id>> machines_to_recover(Catalog& catalog);

}  // namespace holdfast::capture
