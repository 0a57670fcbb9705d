// Views made from the catalog alone. Functions of a transaction.
#pragma once

#include "catalog/db/connection.h"
#include "engine/status/status.h"

namespace holdfast {

Result<MachineView> view_machine(db::Connection& db, Id id, Time now);
Result<DiskView> view_disk(db::Connection& db, Id machine, Id disk);
Result<FlowView> view_flow(db::Connection& db, Id id, Time now);
// Revision and change time only; every stat() calls this.
Result<Stamp> stamp_flow(db::Connection& db, Id id);
// Leaves out the warnings.
Result<ScheduleView> view_schedule(db::Connection& db, Id id, Time now);
Result<PointView> view_point(db::Connection& db, Id id, Time now);
// Brings the figures of a job that goes on up to date.
void count_live(Job& job, const Progress& live);
// Returns the state of a repository that can't be used, by the errno of Shelf::place().
std::string state_of(int trouble);

}  // namespace holdfast
