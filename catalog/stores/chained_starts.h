#pragma once

#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Flows that are to start since the one before them has ended: written with that end, taken with their own
// start, so that neither is lost nor done twice. One a flow. Lives inside one transaction.
class ChainedStarts {
 public:
  explicit ChainedStarts(db::Connection& connection) : db_(connection) {}

  // For each flow that runs after this one when it has ended so. What waits already goes on waiting.
  Result<> add_after(Id flow, RunStatus status, Time now);
  Result<std::vector<ChainedStart>> list();  // the first that was added first
  Result<> take(Id flow);                    // removes it

 private:
  db::Connection& db_;
};

}  // namespace holdfast
