#pragma once

#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"
#include "catalog/stores/object_store.h"

namespace holdfast {

// Groups and the machines in them. Lives inside one transaction.
class Groups : public ObjectStore {
 public:
  explicit Groups(db::Connection& connection) : ObjectStore(connection, {DefinitionKind::group, "groups"}) {}

  Result<Group> add(std::string_view name, const Ownership& ownership, Time now);  // EEXIST
  Result<Group> get(Id id);                                                        // ENOENT
  Result<> define(Id id, const GroupDefinition& definition, Time now);
  Result<> remove(Id id);  // EBUSY while a flow targets it

  Result<std::vector<Member>> members(Id group);                         // by name
  Result<> add_member(Id group, Id machine, Time now);                   // enabled; EEXIST
  Result<> remove_member(Id group, Id machine, Time now);                // ENOENT
  Result<> enable_member(Id group, Id machine, bool enabled, Time now);  // ENOENT

 private:
  Result<> members_changed(Id group, Time now);
};

}  // namespace holdfast
