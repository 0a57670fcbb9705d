#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// The event log (law 15). Lives inside one transaction.
class Events {
 public:
  explicit Events(db::Connection& connection) : db_(connection) {}

  // Its id is made here, inside the one write transaction there is at a time, so that ids grow in the
  // order of commits and since() never misses one. Where it names no owner, it is whose its object is now.
  Result<> add(const Event& event);
  Result<Id> newest();  // 0 when there is none
  // Those after `after`, oldest first.
  Result<std::vector<Event>> since(Id after, int at_most);

  // The log is cut into parts of a size that the settings say; the oldest go, a few events at a time. After
  // which event each begins, the newest first.
  static constexpr int kMostParts = 10;
  Result<std::vector<Id>> parts();

 private:
  Result<std::optional<Ownership>> owner_of(std::string_view object);
  Result<> account(Id id, std::int64_t bytes);

  db::Connection& db_;
};

}  // namespace holdfast
