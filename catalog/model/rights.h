// Law 19: what an object's mode bits give to whom.
#pragma once

#include "catalog/model/entities.h"

namespace holdfast {

enum class Right : std::uint32_t { read = 4, write = 2, search = 1 };

// As the kernel reads mode bits. Root may everything.
bool may(const Caller& caller, const Ownership& ownership, Right right);

// He may look into it. What he may not is in no listing, summary or log that he is shown.
bool may_see(const Caller& caller, const Ownership& ownership);

}  // namespace holdfast
