// Views made from the catalog alone. Functions of a transaction.
#pragma once

#include "catalog/db/connection.h"
#include "catalog/stores/readings.h"
#include "engine/objects/sight.h"
#include "engine/status/status.h"

namespace holdfast {

Result<MachineView> view_machine(db::Connection& db, Id id, Time now, Sight& sight);
Result<DiskView> view_disk(db::Connection& db, Id machine, Id disk, Sight& sight);
Result<FlowView> view_flow(db::Connection& db, Id id, Time now, Sight& sight);
// Revision and change time only; every stat() calls this.
Result<Stamp> stamp_flow(db::Connection& db, Id id);
// Leaves out the warnings.
Result<ScheduleView> view_schedule(db::Connection& db, Id id, Time now, Sight& sight);
Result<PointView> view_point(db::Connection& db, Id id, Time now, Sight& sight);
// Returns the message of an execution; "" if it is the message of a job that is not seen.
Result<std::string> message_of(db::Connection& db, const Execution& execution, Sight& sight);
// Brings the figures of a job that goes on up to date.
void count_live(Job& job, const Progress& live);
// The state of a repository that another daemon writes to.
inline constexpr char kLeased[] = "leased";
VerifiedView view_verified(const Readings::Total& total);
// Returns the state of a repository that can't be used, by the errno of Shelf::place().
std::string state_of(int trouble);

}  // namespace holdfast
