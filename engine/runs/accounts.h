// The one file that moves executions and jobs from state to state, each move in one transaction.
//
//   pending ─► running ─► success | warning | error | cancelled
//      └──────────────────────────────────────┴────────┘
//
// A job is moved by the worker that has it. An execution runs as soon as its first job does, and ends with
// its last one; its status follows from theirs: all cancelled → cancelled, all failed → error, some of
// either, or a warning among them → warning, else success. What is final never moves again. An
// earlier life's unfinished rows end as error, reason `interrupted` (law 16).
//
// Functions of a transaction: they live inside Catalog::write.
#pragma once

#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast::runs {

struct JobEnd {
  RunStatus status = RunStatus::success;
  std::optional<EndReason> reason;
  std::string message;
  std::string metadata;  // JSON; "": as it was
  std::uint64_t bytes_done = 0, bytes_total = 0;
  std::uint64_t bytes_read = 0, bytes_transferred = 0, bytes_stored = 0;
};

// A job as it begins: pending. One without a name is called by its id.
Job new_job(JobType type, const std::string& name, Time now);

Result<> job_started(db::Connection& db, Id job, Time now);

// The execution that has ended with this job, if it has.
Result<std::optional<Id>> job_ended(db::Connection& db, Id job, const JobEnd& end, Time now);

// One that has nothing to do ends at once, as a warning that says why.
Result<> end_without_jobs(db::Connection& db, Execution execution, std::string_view why, Time now);

// At start. How many there were.
Result<std::size_t> end_interrupted(db::Connection& db, Time now);

}  // namespace holdfast::runs
