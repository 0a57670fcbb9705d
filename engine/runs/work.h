// A job that is accepted and recorded, and what it does.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "catalog/db/connection.h"
#include "engine/capture/progress.h"
#include "engine/runs/accounts.h"
#include "engine/sources/driver.h"

namespace holdfast::runs {

// What the jobs of one execution have in common.
struct Course {
  Id execution = 0;
  std::string name;                             // "flows/F/executions/E"
  std::optional<std::chrono::seconds> timeout;  // of all, from the beginning of the first
  // Before the first of them. An end: none of them begins, and all end like that.
  std::function<std::optional<JobEnd>(const source::Cancel& cancel)> before;
  // Once the last has ended, with what the execution would be: what went wrong, "" when nothing did.
  std::function<std::string(const Execution& ending, const source::Cancel& cancel)> after;
};

struct Work {
  Id job = 0;
  std::shared_ptr<const Course> course;  // of an execution's job
  Id flow = 0;                           // whose turn it is; 0: of none
  int priority = 0;
  std::optional<Id> machine;  // that no other job may have meanwhile (law 3)
  std::optional<Id> repository;
  std::optional<Id> source;                   // that the machine is read from, where others are in it, too
  bool beside = false;                        // the limits and turns of all others: it waits for their end
  std::string name;                           // "flows/F/executions/E", "jobs/J": for the log
  std::optional<std::chrono::seconds> stall;  // how long it may get no further
  int retries = 0;                            // how often it is tried again after what may pass
  // ECANCELED after a cancel. What it throws away or leaves behind is its own affair.
  std::function<Result<JobEnd>(ProgressMeter& progress, const source::Cancel& cancel)> perform;
  // What follows from such an end of it, recorded in the same transaction as a job of the same execution.
  std::function<Result<std::optional<Work>>(db::Connection& db, const JobEnd& end)> next;
};

}  // namespace holdfast::runs
