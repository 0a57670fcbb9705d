#pragma once

#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Results of the times of schedules. Lives inside one transaction.
//
//   planned ──► started | skipped | missed
//
// A skipped or missed time has a reason, and a started one has an execution; no other has.
class Occurrences {
 public:
  explicit Occurrences(db::Connection& connection) : db_(connection) {}

  // Adds it as it is. EEXIST: the flow has had this time of this schedule; nothing starts twice.
  Result<> add(const Occurrence& occurrence);
  // Adds it likewise. False: the flow has had that time, and nothing is changed.
  Result<bool> add_if_new(const Occurrence& occurrence);
  // Records the result of a planned time. EINVAL: it has a result.
  Result<> settle(const Occurrence& occurrence);
  Result<bool> is_planned(Id id);
  Result<std::vector<Occurrence>> planned();  // sorted by time
  Result<std::vector<Occurrence>> newest(Id schedule, int at_most);
  // Removes the oldest beyond the newest `keep`, at most `at_most`, and returns how many.
  Result<std::int64_t> prune(Id schedule, std::int64_t keep, int at_most);

 private:
  // Makes the schedule's revision grow, because its history has changed.
  Result<> touch(Id schedule);

  db::Connection& db_;
};

}  // namespace holdfast
