// Moves executions and jobs from state to state. No other file does; each move is part of one transaction.
//
//   pending ─► running ─► success | warning | error | cancelled
//      └──────────────────────────────────────┴────────┘
//
// A job is moved by its worker. An execution runs from its first job, or its first hook, to the end of its
// last job. Its status follows from the jobs': all cancelled → cancelled, all failed → error, some of either
// or a warning → warning, else success. A failed hook turns a success into a warning. A final state never
// changes. At start, unfinished rows of an earlier process end as error with reason `interrupted` (law 16).
//
// Call these functions inside Catalog::write.
#pragma once

#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast::runs {

struct JobEnd {
  RunStatus status = RunStatus::success;
  std::optional<EndReason> reason;
  std::string message;
  std::string metadata;  // JSON; "": unchanged
  std::uint64_t bytes_done = 0, bytes_total = 0;
  std::uint64_t bytes_read = 0, bytes_transferred = 0, bytes_stored = 0;
};

// Returns a pending job. Without a name it is named by its id.
Job new_job(JobType type, const std::string& name, Time now);

Result<> execution_started(db::Connection& db, Id execution, Time now);
Result<> job_started(db::Connection& db, Id job, Time now);
// Adds a job to an execution that has not ended.
Result<> add_to_execution(db::Connection& db, const Job& job);

// Counts the jobs of an execution by how they ended.
void count_jobs(Execution& execution, const std::vector<Job>& jobs);
// Returns true if this was the execution's last job; the caller then ends the execution.
Result<bool> job_ended(db::Connection& db, Id job, const JobEnd& end, Time now);
struct EndOfJob {
  Id job = 0;
  JobEnd end;
};
// Ends many jobs, and the executions of which no job is left. Returns those.
Result<std::vector<Execution>> jobs_ended(db::Connection& db, const std::vector<EndOfJob>& ends, Time now);
// Returns the execution as it would end now.
Result<Execution> ending_of(db::Connection& db, Id execution, Time now);
// `remark` says what failed around the jobs; "" if nothing failed.
Result<Execution> end_execution(db::Connection& db, Id execution, EndReason why, std::string_view remark,
                                Time now);

// Ends an execution without jobs as a warning; `why` is its message.
Result<Execution> end_without_jobs(db::Connection& db, Execution execution, std::string_view why, Time now);

struct Interrupted {
  std::size_t jobs = 0;
  std::vector<Execution> executions;
};
// Ends what an earlier process left unfinished. Called once, at start.
Result<Interrupted> end_interrupted(db::Connection& db, Time now);

}  // namespace holdfast::runs
