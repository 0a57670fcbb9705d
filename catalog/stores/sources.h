#pragma once

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"
#include "catalog/stores/object_store.h"

namespace holdfast {

// Hypervisors and storage hosts that machines are in. Lives inside one transaction.
class Sources : public ObjectStore {
 public:
  explicit Sources(db::Connection& connection)
      : ObjectStore(connection, {DefinitionKind::source, "sources"}) {}

  Result<Source> add(std::string_view name, const Ownership& ownership, Time now);  // EEXIST
  Result<Source> get(Id id);                                                        // ENOENT
  // Resolves the credential: ENOENT naming it.
  Result<> define(Id id, const SourceDefinition& definition, Time now);
  Result<> remove(Id id);  // EBUSY while machines are in it
};

}  // namespace holdfast
