// Records that a flow had its turn and did not run: in the schedule's history, and as an event of the flow.
// Call these functions inside a transaction.
#pragma once

#include <string>

#include "catalog/base/clock.h"
#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast::schedule {

// Records a skipped or missed time that has no row yet; does nothing if the flow already had that time.
Result<> record_new(db::Connection& db, const Clock& clock, const Occurrence& occurrence);
// Records what became of a planned time.
Result<> record_settled(db::Connection& db, const Clock& clock, const Occurrence& occurrence,
                        const std::string& why = "");
// Records a turn after another flow.
Result<> record_chained(db::Connection& db, const Clock& clock, Id flow, OccurrenceReason reason,
                        const std::string& why = "");

}  // namespace holdfast::schedule
