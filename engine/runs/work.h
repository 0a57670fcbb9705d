// A job that is accepted and recorded, with the function that does it.
#pragma once

#include <chrono>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "catalog/db/connection.h"
#include "engine/common/progress.h"
#include "engine/runs/accounts.h"
#include "engine/runs/queue_limit.h"
#include "engine/sources/driver.h"

namespace holdfast::runs {

// Properties that the jobs of one execution share.
struct Course {
  Id execution = 0;
  std::string name;                             // "flows/F/executions/E"
  std::optional<std::chrono::seconds> timeout;  // for the whole execution, from the start of its first job
  // Runs before the first job. If it returns an end, no job begins, and all end like that.
  std::function<std::optional<JobEnd>(const source::Cancel& cancel)> before;
  // Runs after the last job, with the execution as it would end. Returns what went wrong; "" if nothing did.
  std::function<std::string(const Execution& ending, const source::Cancel& cancel)> after;
};

// Priority of work that gives way to all other work.
constexpr int kAfterAllOthers = std::numeric_limits<int>::min();

struct Work {
  Id job = 0;
  std::shared_ptr<const Course> course;  // null for a job without execution
  Id flow = 0;                           // the flow whose turn it takes; 0: none
  int priority = 0;
  std::optional<Id> machine;  // not shared with any other job (law 3)
  std::optional<Id> repository;
  bool beside = false;  // exempt from limits and turns, because it waits for all other jobs
  std::string name;     // "flows/F/executions/E" or "jobs/J", for the log
  bool boots_guest = false;
  std::optional<std::chrono::seconds> stall;  // time without progress after which it is ended
  int retries = 0;                            // retries after failures that may pass
  std::optional<Asked> asked_by{};            // nullopt: the daemon itself
  // Returns ECANCELED after a cancel. It cleans up after itself.
  std::function<Result<JobEnd>(ProgressMeter& progress, const source::Cancel& cancel)> perform;
  // Returns work that follows this end. Both are recorded in one transaction, the new job in the same
  // execution.
  std::function<Result<std::optional<Work>>(db::Connection& db, const JobEnd& end)> next;
};

}  // namespace holdfast::runs
