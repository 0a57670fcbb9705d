// Estimates the room that a plan gives back, from the catalog alone: no repository is asked.
#pragma once

#include <cstdint>

#include "engine/retention/plan.h"

namespace holdfast::retention {

struct Estimate {
  std::uint64_t at_least = 0;  // files that go
  std::uint64_t about = 0;     // with the data that becomes holes in files that stay
};

// Call inside the transaction that made the plan. Data that a hidden layer loses is estimated as the size of
// the layers above it, which is exact where they change what the hidden layer has.
Result<Estimate> estimate_room(db::Connection& db, Id machine, const Plan& plan);

}  // namespace holdfast::retention
