#pragma once

#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// The event log (law 15). Lives inside one transaction.
class Events {
 public:
  explicit Events(db::Connection& connection) : db_(connection) {}

  // Its id is made here, inside the one write transaction there is at a time, so that ids grow in the
  // order of commits and since() never misses one.
  Result<> add(const Event& event);
  Result<Id> newest();  // 0 when there is none
  // Those after `after`, oldest first.
  Result<std::vector<Event>> since(Id after, int at_most);

 private:
  db::Connection& db_;
};

}  // namespace holdfast
