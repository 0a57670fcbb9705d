// The one file that moves executions and jobs from state to state, each move in one transaction.
//
//   pending ─► running ─► success | warning | error | cancelled
//      └──────────────────────────────────────┴────────┘
//
// A job is moved by the worker that has it. An execution runs as soon as its first job does, or what its flow
// has done before that, and ends with its last one; its status follows from theirs: all cancelled →
// cancelled, all failed → error, some of either, or a warning among them → warning, else success. What went
// wrong around them makes a warning of a success. What is final never moves again. An earlier life's
// unfinished rows end as error, reason `interrupted` (law 16).
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

Result<> execution_started(db::Connection& db, Id execution, Time now);
Result<> job_started(db::Connection& db, Id job, Time now);
// One more of an execution that has not ended.
Result<> add_to_execution(db::Connection& db, const Job& job);

// True: it was the last of its execution, which is to be ended.
Result<bool> job_ended(db::Connection& db, Id job, const JobEnd& end, Time now);
// What an execution would be if it ended now.
Result<Execution> ending_of(db::Connection& db, Id execution, Time now);
// `remark`: what went wrong around its jobs; "" when nothing did.
Result<Execution> end_execution(db::Connection& db, Id execution, EndReason why, std::string_view remark,
                                Time now);

// One that has nothing to do ends at once, as a warning that says why.
Result<Execution> end_without_jobs(db::Connection& db, Execution execution, std::string_view why, Time now);

struct Interrupted {
  std::size_t jobs = 0;
  std::vector<Execution> executions;
};
// At start.
Result<Interrupted> end_interrupted(db::Connection& db, Time now);

}  // namespace holdfast::runs
