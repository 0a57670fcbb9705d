// Handing over: where a point's own files go and a copy stays, the two change places. The copy becomes the
// point, under the same id and name, with its pins and verdicts. The point's old place becomes a copy that
// has gone; points that rest on it there keep their parent.
#pragma once

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// The oldest committed copy of a point that no verification has found damaged, or else the oldest.
Result<std::optional<Copy>> heir_of(db::Connection& db, const Point& point);
Result<> hand_over(db::Connection& db, const Point& point, const Copy& copy, Time now);
// Hands a committed point over to its heir; without one the point is retired.
Result<> leave_to_heir(db::Connection& db, const Point& point, Time now);

}  // namespace holdfast
