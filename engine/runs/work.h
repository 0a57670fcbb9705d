// A job that is accepted and recorded, and what it does.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "engine/capture/progress.h"
#include "engine/runs/accounts.h"
#include "engine/sources/driver.h"

namespace holdfast::runs {

struct Work {
  Id job = 0;
  std::optional<Id> execution;
  std::optional<Id> machine;  // that no other job may have meanwhile (law 3)
  std::string name;           // "flows/F/executions/E", "jobs/J": for the log
  // ECANCELED after a cancel. What it throws away or leaves behind is its own affair.
  std::function<Result<JobEnd>(ProgressMeter& progress, const source::Cancel& cancel)> perform;
};

}  // namespace holdfast::runs
