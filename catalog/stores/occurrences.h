#pragma once

#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// What came of the times of schedules. Lives inside one transaction.
//
//   planned ──► started | skipped | missed
//
// Only what was skipped or missed has a reason, and only what started an execution.
class Occurrences {
 public:
  explicit Occurrences(db::Connection& connection) : db_(connection) {}

  // Added as it is. EEXIST: the flow has had this time of this schedule; nothing starts twice.
  Result<> add(const Occurrence& occurrence);
  // The same. False: the flow has had that time, and nothing is changed.
  Result<bool> add_if_new(const Occurrence& occurrence);
  // What came of a planned one; what has been settled stays so (EINVAL).
  Result<> settle(const Occurrence& occurrence);
  Result<bool> is_planned(Id id);
  Result<std::vector<Occurrence>> planned();  // by their times
  Result<std::vector<Occurrence>> newest(Id schedule, int at_most);
  // The oldest beyond the newest `keep`, at most so many at a time: how many went.
  Result<std::int64_t> prune(Id schedule, std::int64_t keep, int at_most);

 private:
  // What its history shows is another one now.
  Result<> touch(Id schedule);

  db::Connection& db_;
};

}  // namespace holdfast
