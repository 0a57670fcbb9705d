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

  // Makes the event's id inside the only write transaction there is at a time, so that ids grow in the order
  // of commits and since() misses none. An event without an owner gets its object's owner.
  Result<> add(const Event& event);
  // Returns the owner of the object at that path now; nullopt if the path names no object.
  Result<std::optional<Ownership>> owner_of(std::string_view object);
  Result<Id> newest();  // 0 when there is none
  // Events after `after`, oldest first. Names of other objects than the event's are left out, unless the
  // reader could look into those objects at the time of the event.
  Result<std::vector<Event>> since(Id after, int at_most, const Caller& reader);

  // The log is cut into parts of the size in the settings; the oldest events go, a few at a time. Returns the
  // id after which each part begins, the newest first.
  static constexpr int kMostParts = 10;
  Result<std::vector<Id>> parts();

 private:
  // Returns the owners of the objects that the event names beside its own, as JSON; "" if it names none.
  Result<std::string> named_by(const Event& event);
  Result<> account(Id id, std::int64_t bytes);

  db::Connection& db_;
};

}  // namespace holdfast
