// The sender of a request, as the kernel names it, with all its groups.
#pragma once

#include "catalog/model/rights.h"

namespace holdfast::tree {

using Asker = Caller;

}  // namespace holdfast::tree
