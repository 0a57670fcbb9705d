#pragma once

#include <string>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Lines that jobs wrote while they ran. A line never changes and goes with its job. Lives inside one
// transaction.
class Logs {
 public:
  explicit Logs(db::Connection& connection) : db_(connection) {}

  struct Line {
    Id id = 0;
    Time at{};
    std::string machine;  // the job's; "" without one
    std::string text;
  };
  // Makes the id, so that lines have the order of their commits. EINVAL: the text is empty.
  Result<> add(const Job& job, Time at, std::string_view text);
  Result<> add(const Execution& execution, Time at, std::string_view text);  // a line without a job

  // Lines after `after`, oldest first.
  Result<std::vector<Line>> of_job(Id job, Id after, int at_most);
  Result<std::vector<Line>> of_execution(Id execution, Id after, int at_most);

 private:
  Result<> insert(std::optional<Id> job, std::optional<Id> execution, Time at, std::string_view text);

  db::Connection& db_;
};

}  // namespace holdfast
