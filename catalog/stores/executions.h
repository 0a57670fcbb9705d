#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Runs of flows. Lives inside one transaction.
//
//   pending ──► running ──► success | warning | error | cancelled
//      └───────────────────────────────────┴─────────┘
//
// Final statuses stay. The schema keeps four laws: a flow has at most one execution that is not final; a
// running one has started_at; a final one, and no other, has completed_at; only a final one has a reason.
class Executions {
 public:
  explicit Executions(db::Connection& connection) : db_(connection) {}

  // Adds it as it is, pending as a rule; the flow's total counts it. EEXIST: the flow has one of that name.
  // EBUSY: the flow has one that is not final.
  Result<> add(const Execution& execution);
  Result<Execution> get(Id id);
  Result<std::optional<Id>> find(Id flow, std::string_view name);
  Result<std::vector<Named>> newest(Id flow, int at_most);
  Result<std::optional<Execution>> latest(Id flow);
  Result<std::optional<Execution>> last_ended(Id flow);
  // The end of the newest execution that was a success.
  Result<std::optional<Time>> last_success(Id flow);
  Result<std::vector<Execution>> unfinished();
  // Writes all fields but the identity. A final status moves the flow's counters; a final execution stays as
  // it is (EINVAL). Cancelled and interrupted executions are left out of the flow's average duration.
  Result<> update(const Execution& execution);
  // Removes the oldest ended executions beyond the newest `keep`, at most `at_most`, with their jobs, and
  // returns how many. Points and the flow's counters stay.
  Result<std::int64_t> prune(Id flow, std::int64_t keep, int at_most);

 private:
  db::Connection& db_;
};

}  // namespace holdfast
