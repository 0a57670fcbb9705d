#pragma once

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"
#include "catalog/stores/object_store.h"

namespace holdfast {

// Policies: what is kept for how long, and how runs are made. Lives inside one transaction.
class Policies : public ObjectStore {
 public:
  explicit Policies(db::Connection& connection)
      : ObjectStore(connection, {DefinitionKind::policy, "policies"}) {}

  Result<Policy> add(std::string_view name, const Ownership& ownership, Time now);  // EEXIST
  Result<Policy> get(Id id);                                                        // ENOENT
  Result<std::vector<Id>> users(Id id);                                             // flows that have it
  Result<std::vector<Id>> verifying();  // policies with verify_every
  Result<> define(Id id, const PolicyDefinition& definition, Time now);
  Result<> remove(Id id);  // flows that had it have none: their points are kept
};

}  // namespace holdfast
