// A catalog from a repository and nothing else, for a host that has lost its own, or is new.
#pragma once

#include <string>

#include "engine/rescan/rescan.h"

namespace holdfast::rescan {

struct RecoverOptions {
  std::string repository;  // directory
  std::string state;       // the state directory of a daemon that does not run; made if it is missing
  bool plan = false;       // true: all of it is tried on a copy of the catalog, and nothing stays
};

// EBUSY: a daemon has the catalog, or writes to the repository. ENOENT: there is no such directory.
Result<Report> recover(const RecoverOptions& options, const Caller& caller, const Watch& watch);

}  // namespace holdfast::rescan
