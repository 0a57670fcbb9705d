// Who asks, by the kernel's word, with all his groups.
#pragma once

#include "catalog/model/rights.h"

namespace holdfast::tree {

using Asker = Caller;

}  // namespace holdfast::tree
