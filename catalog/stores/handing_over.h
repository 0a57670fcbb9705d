// A point whose files in the repository that it was made in go, while a copy of it stays: the copy becomes
// the point, under the same id and name, with its pins and verdicts; what was the point's becomes a copy that
// has gone. What rests on it there goes on resting on it.
#pragma once

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// The oldest committed copy of a point that no verification has found damaged, or else the oldest.
Result<std::optional<Copy>> heir_of(db::Connection& db, const Point& point);
Result<> hand_over(db::Connection& db, const Point& point, const Copy& copy, Time now);

}  // namespace holdfast
