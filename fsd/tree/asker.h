// Who asks, by the kernel's word, and what he may.
#pragma once

#include <cstdint>
#include <vector>

#include "catalog/model/entities.h"

namespace holdfast::tree {

struct Asker {
  Caller caller;                      // pid is the process, not the thread
  std::vector<std::uint32_t> groups;  // supplementary ones; the context of a request has only the primary
};

enum class Right : std::uint32_t { read = 4, write = 2 };

// What the mode bits give him, as the kernel reads them. Root may everything.
bool may(const Asker& asker, const Ownership& ownership, Right right);

}  // namespace holdfast::tree
