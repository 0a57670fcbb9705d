#pragma once

#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

class Events {
 public:
  explicit Events(db::Connection& connection) : db_(connection) {}

  Result<> add(const Event& event);
  // Those after `after`, oldest first.
  Result<std::vector<Event>> since(Id after, int at_most);

 private:
  db::Connection& db_;
};

}  // namespace holdfast
