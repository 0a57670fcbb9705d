// When ids were made: they begin with their time, so that what was recorded since a moment is found by its
// id.
#pragma once

#include "catalog/base/clock.h"
#include "catalog/base/id.h"

namespace holdfast {

constexpr int kIdCounterBits = 10;

// No id of that time or later is smaller, as long as the clock was not set back.
constexpr Id first_id_at(Time time) { return time.time_since_epoch().count() << kIdCounterBits; }

// When an id, or a revision, was taken.
constexpr Time time_of_id(Id id) { return Time{std::chrono::milliseconds{id >> kIdCounterBits}}; }

}  // namespace holdfast
