#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Units of tracked work. Lives inside one transaction. Their statuses move as those of executions, under the
// same laws.
class Jobs {
 public:
  explicit Jobs(db::Connection& connection) : db_(connection) {}

  Result<> add(const Job& job);  // EEXIST
  Result<Job> get(Id id);
  Result<std::optional<Id>> find(std::string_view name);
  Result<std::vector<Named>> newest(int at_most);
  Result<std::vector<Named>> of_execution(Id execution);  // in the order of their making
  Result<std::vector<Job>> unfinished();
  Result<std::optional<Named>> unfinished_of(Id machine);  // the newest
  struct Active {
    Id id = 0;
    std::string name;
    Ownership owner;  // ownership of its machine, repository or flow
  };
  // Unfinished jobs outside of executions, the newest first.
  Result<std::vector<Active>> unfinished_alone();
  Result<> update(const Job& job);  // writes all but the identity; EINVAL: it is final
  // Names the chain that it writes to until it ends. EBUSY: another job does.
  Result<> set_chain(Id id, Id chain);
  // Removes the oldest ended jobs without an execution, of the same machine, flow or repository as `like`,
  // beyond the newest `keep`, at most `at_most`, and returns how many. Jobs of executions go with their
  // executions.
  Result<std::int64_t> prune(const Job& like, std::int64_t keep, int at_most);

 private:
  db::Connection& db_;
};

}  // namespace holdfast
