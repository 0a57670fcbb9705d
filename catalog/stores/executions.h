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
// Final statuses stay. The schema keeps these: a flow has at most one that is not final; a running one
// has started_at; a final one, and no other, has completed_at; only a final one has a reason.
class Executions {
 public:
  explicit Executions(db::Connection& connection) : db_(connection) {}

  // Added as it is, pending as a rule; the flow's total counts it. EEXIST: the flow has one of that name.
  // EBUSY: the flow has one that is not final (the database's own "at most one").
  Result<> add(const Execution& execution);
  Result<Execution> get(Id id);
  Result<std::optional<Id>> find(Id flow, std::string_view name);
  Result<std::vector<Named>> newest(Id flow, int at_most);
  Result<std::optional<Execution>> latest(Id flow);
  Result<std::vector<Execution>> unfinished();
  // Writes all but the identity. A final status also moves the flow's counters; what is final stays so
  // (EINVAL). Into the flow's average goes what ran its whole course: what was cancelled or interrupted
  // says nothing of how long a run takes.
  Result<> update(const Execution& execution);
  // Of a flow's ended executions, the oldest beyond its newest `keep`, at most so many at a time: how many
  // went. Their jobs go along; points stay, and so do the flow's counters.
  Result<std::int64_t> prune(Id flow, std::int64_t keep, int at_most);

 private:
  db::Connection& db_;
};

}  // namespace holdfast
