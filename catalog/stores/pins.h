#pragma once

#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Holds on points, and judgements of points by people and checks. Lives inside one transaction.
class Pins {
 public:
  explicit Pins(db::Connection& connection) : db_(connection) {}

  Result<> add(const Pin& pin);                 // ENOENT: no such point
  Result<std::vector<Pin>> of_point(Id point);  // in the order of their making
  Result<> remove_all(Id point);                // ENOENT when it has none
  Result<std::int64_t> remove_ended(Time now);  // returns how many had ended

 private:
  db::Connection& db_;
};

class Verdicts {
 public:
  explicit Verdicts(db::Connection& connection) : db_(connection) {}

  Result<> add(const Verdict& verdict);             // ENOENT: no such point
  Result<std::vector<Verdict>> of_point(Id point);  // in the order of their making

 private:
  db::Connection& db_;
};

}  // namespace holdfast
