#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Flows, and the counters of their executions (which the store of executions moves). Lives inside one
// transaction.
class Flows {
 public:
  explicit Flows(db::Connection& connection) : db_(connection) {}

  Result<Flow> add(std::string_view name, const Ownership& ownership, Time now);  // EEXIST
  Result<Flow> get(Id id);                                                        // ENOENT
  Result<std::optional<Id>> find(std::string_view name);
  Result<std::vector<Named>> list();
  Result<> rename(Id id, std::string_view name, Time now);
  // Resolves target and repository: ENOENT naming what is not there.
  Result<> define(Id id, const FlowDefinition& definition, Time now);
  Result<> remove(Id id);  // its executions' records go with it; EBUSY while one is not final

 private:
  db::Connection& db_;
};

}  // namespace holdfast
