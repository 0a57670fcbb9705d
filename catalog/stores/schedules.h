#pragma once

#include <optional>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"
#include "catalog/stores/object_store.h"

namespace holdfast {

// Schedules and their due times; occurrences.h has the results. Lives inside one transaction.
class Schedules : public ObjectStore {
 public:
  explicit Schedules(db::Connection& connection)
      : ObjectStore(connection, {DefinitionKind::schedule, "schedules"}) {}

  Result<Schedule> add(std::string_view name, const Ownership& ownership, Time now);  // EEXIST
  Result<Schedule> get(Id id);                                                        // ENOENT
  // Forgets its next time, which the scheduler then computes anew.
  Result<> define(Id id, const ScheduleDefinition& definition, Time now);
  Result<> remove(Id id);  // flows that followed it follow none

  Result<> set_next(Id id, std::optional<Time> next);
  // Enabled schedules whose time has come, the longest due first.
  Result<std::vector<Named>> due(Time now, int at_most);
  // Complete and enabled schedules without a next time.
  Result<std::vector<Id>> without_flow(int at_most);  // enabled ones that no flow names
  Result<std::vector<Id>> unplanned();
  // The soonest next time.
  Result<std::optional<Time>> next_due();
  // Enabled schedules whose next time is later than `now`.
  Result<std::vector<Id>> planned_after(Time now);
  // Enabled flows of enabled schedules, the soonest first.
  Result<std::vector<Id>> next_flows(int at_most);
};

}  // namespace holdfast
