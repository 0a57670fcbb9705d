#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"
#include "catalog/stores/object_store.h"

namespace holdfast {

// Flows, and the counters of their executions (which the store of executions moves). Lives inside one
// transaction.
class Flows : public ObjectStore {
 public:
  explicit Flows(db::Connection& connection) : ObjectStore(connection, {DefinitionKind::flow, "flows"}) {}

  Result<Flow> add(std::string_view name, const Ownership& ownership, Time now);  // EEXIST
  Result<Flow> get(Id id);                                                        // ENOENT
  // Resolves its references: ENOENT names one that is not there. EINVAL: it would come after itself.
  Result<> define(Id id, const FlowDefinition& definition, Time now);
  Result<> remove(Id id);  // removes its executions too; EBUSY while one is not final

  Result<std::vector<Id>> machines(const Flow& flow);   // the target, or its members
  Result<std::vector<Named>> of_schedule(Id schedule);  // flows that follow it, by name
  Result<std::vector<Named>> of_machine(Id machine);    // flows that have it as their target, by name
  // Enabled flows that nothing starts, or whose last run did not end well.
  Result<std::vector<Id>> to_look_at(int at_most);

 private:
  Result<> touch_used(Id id);
  Result<> check_chain(Id id, Id after);
};

}  // namespace holdfast
