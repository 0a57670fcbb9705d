// One life of the daemon: it starts on what the earlier ones left, goes on with the history, and ends by a
// kill, a power failure or a stop.
#pragma once

#include "tests/simulation/world.h"

namespace holdfast::simulation {

constexpr unsigned kSteps = 200;
constexpr std::size_t kKept = 3;  // points that the policy of flow "a" keeps

// Exit statuses of the process of a life.
constexpr int kDone = 0, kEnded = 10, kFound = 11;

// Lives; the process ends in it.
[[noreturn]] void live();

}  // namespace holdfast::simulation
