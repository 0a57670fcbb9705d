// Rights that an object's mode bits give to a caller (law 19).
#pragma once

#include "catalog/model/entities.h"

namespace holdfast {

enum class Right : std::uint32_t { read = 4, write = 2, search = 1 };

// Judges mode bits as the kernel does. Root may everything.
bool may(const Caller& caller, const Ownership& ownership, Right right);

// Whether the caller may look into the object. Listings, summaries and logs that he is shown leave out all
// others.
bool may_see(const Caller& caller, const Ownership& ownership);

}  // namespace holdfast
