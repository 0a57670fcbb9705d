// Moments, as people write them.
#pragma once

#include <string_view>

#include "catalog/base/clock.h"

namespace holdfast {

// The last millisecond of what the text means, so that "not later than" has all of it:
//
//   2026-11-20T02:30:15  2026-11-20T02:30  2026-11-20   in UTC; or with Z, +01:00, +0100, +01 behind it;
//                                                       2026-11-20T02-30-15Z, as points are named
//   2026-11-20 02:30                                    likewise
//   today  yesterday  yesterday 18:00                   days of UTC, or of the zone behind it
//   now  90s-ago  15m-ago  2h-ago  30d-ago              to the millisecond
//
// EINVAL says what would be right.
Result<Time> parse_when(std::string_view text, Time now);

}  // namespace holdfast
