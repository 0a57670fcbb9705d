#pragma once

#include <string>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// What jobs told while they ran. Lines never change and go with their job. Lives inside one transaction.
class Logs {
 public:
  explicit Logs(db::Connection& connection) : db_(connection) {}

  struct Line {
    Id id = 0;
    Time at{};
    std::string machine;  // its job's; "" when it has none
    std::string text;
  };
  // The id is made here: lines have the order of their commits. EINVAL: no text.
  Result<> add(const Job& job, Time at, std::string_view text);
  Result<> add(const Execution& execution, Time at, std::string_view text);  // of no job

  // Those after `after`, oldest first.
  Result<std::vector<Line>> of_job(Id job, Id after, int at_most);
  Result<std::vector<Line>> of_execution(Id execution, Id after, int at_most);

 private:
  Result<> insert(std::optional<Id> job, std::optional<Id> execution, Time at, std::string_view text);

  db::Connection& db_;
};

}  // namespace holdfast
