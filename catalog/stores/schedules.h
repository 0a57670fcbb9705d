#pragma once

#include <optional>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"
#include "catalog/stores/object_store.h"

namespace holdfast {

// Schedules, and when each is due. What came of their times is in occurrences.h. Lives inside one
// transaction.
class Schedules : public ObjectStore {
 public:
  explicit Schedules(db::Connection& connection)
      : ObjectStore(connection, {DefinitionKind::schedule, "schedules"}) {}

  Result<Schedule> add(std::string_view name, const Ownership& ownership, Time now);  // EEXIST
  Result<Schedule> get(Id id);                                                        // ENOENT
  // Its next time is not known any more: the scheduler works it out anew.
  Result<> define(Id id, const ScheduleDefinition& definition, Time now);
  Result<> remove(Id id);  // flows that followed it follow none

  Result<> set_next(Id id, std::optional<Time> next);
  // Enabled ones whose time has come, the longest due first.
  Result<std::vector<Named>> due(Time now, int at_most);
  // Complete and enabled ones whose next time is not known.
  Result<std::vector<Id>> unplanned();
  // Of those with one: the next time of all.
  Result<std::optional<Time>> next_due();
  // Those whose next time is later than that.
  Result<std::vector<Id>> planned_after(Time now);
  // The flows that come next, enabled ones of enabled schedules, the soonest first.
  Result<std::vector<Id>> next_flows(int at_most);
};

}  // namespace holdfast
