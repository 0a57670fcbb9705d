// Brings together what a catalog knows of a machine and what lies in a repository: whatever either side has
// is kept.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "catalog/db/connection.h"
#include "engine/rescan/found.h"

namespace holdfast::rescan {

struct Joined {
  int points = 0;  // added as points, retired ones not counted
  int copies = 0;  // added as copies of points that lie elsewhere
  int known = 0;   // in the catalog already
  int gone = 0;    // images of points that a newer catalog has deleted
  std::vector<Finding> findings;
};

// Adds the machine's points, oldest first, with their chains, layers, pins, verdicts and verifications; pins
// and verdicts of known points are completed. Points that the catalog can't hold are findings. Call inside a
// transaction. EBUSY: a point of the machine is being written.
//
// `directories`: all that the machine has there, for a catalog that lacks commits; it lets go of points whose
// directories are gone. Any other catalog keeps them, and they are damaged.
Result<Joined> join(db::Connection& db, Id machine, Id repository, std::vector<FoundPoint> found,
                    const std::optional<std::set<std::string>>& directories, Time now);

}  // namespace holdfast::rescan
