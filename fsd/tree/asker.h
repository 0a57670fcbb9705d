// The sender of a request, as the kernel names it, with all its groups.
#pragma once

#include "catalog/model/rights.h"

namespace holdfast::tree {

using Asker = Caller;

// Returns the asker without its process: what a reader may see depends on the user and the groups only.
inline Asker reader_of(Asker asker) {
  asker.pid = 0;
  return asker;
}

}  // namespace holdfast::tree
