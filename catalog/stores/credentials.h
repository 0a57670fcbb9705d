#pragma once

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"
#include "catalog/stores/object_store.h"

namespace holdfast {

// References to credentials: names of files that only root reads. No secret ever comes here. Lives inside one
// transaction.
class Credentials : public ObjectStore {
 public:
  explicit Credentials(db::Connection& connection)
      : ObjectStore(connection, {DefinitionKind::credential, "credentials"}) {}

  Result<Credential> add(std::string_view name, const Ownership& ownership, Time now);  // EEXIST
  Result<Credential> get(Id id);                                                        // ENOENT
  Result<> define(Id id, const CredentialDefinition& definition, Time now);
  Result<> remove(Id id);  // EBUSY while a source uses it
};

}  // namespace holdfast
