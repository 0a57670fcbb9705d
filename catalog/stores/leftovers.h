#pragma once

#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Things made at sources that must be swept (law 8). Lives inside one transaction.
class Leftovers {
 public:
  explicit Leftovers(db::Connection& connection) : db_(connection) {}

  Result<> add(const Leftover& leftover);
  Result<> remove(Id id);
  Result<std::vector<Leftover>> of_machine(Id machine);  // in the order of their making
  Result<bool> hold_a_source();                          // whether any is more than a bitmap
  Result<std::vector<Id>> machines();                    // machines that have leftovers

 private:
  db::Connection& db_;
};

}  // namespace holdfast
