// How it is written down that a flow had its turn and did not run: in the schedule's history, and as an event
// of the flow. Functions of a transaction.
#pragma once

#include <string>

#include "catalog/base/clock.h"
#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast::schedule {

// A time that was skipped or missed and had no row yet. A flow that has had it has had it: nothing is
// changed.
Result<> record_new(db::Connection& db, const Clock& clock, const Occurrence& occurrence);
// What came of a planned one.
Result<> record_settled(db::Connection& db, const Clock& clock, const Occurrence& occurrence,
                        const std::string& why = "");
// The flow's turn after another one.
Result<> record_chained(db::Connection& db, const Clock& clock, Id flow, OccurrenceReason reason,
                        const std::string& why = "");

}  // namespace holdfast::schedule
