// The table of kinds: every fact that depends on the kind of an object.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/base/error.h"
#include "catalog/model/entities.h"
#include "engine/common/observer.h"

namespace holdfast {

namespace db {
class Connection;
}

// Functions of the store of a kind that users make. Call them inside a transaction.
struct KindOfUsers {
  DefinitionKind definition;
  Result<Id> (*add)(db::Connection& db, std::string_view name, const Ownership& ownership, Time now);
  Result<> (*remove)(db::Connection& db, Id id);
  Result<> (*rename)(db::Connection& db, Id id, std::string_view name, Time now);
  Result<Ownership> (*ownership)(db::Connection& db, Id id);
  Result<> (*set_ownership)(db::Connection& db, Id id, const Ownership& ownership, Time now);
};

struct Kind {
  ObjectKind kind;
  std::string_view word;             // "machine": in events, and between the braces of the tree's table
  std::string_view shown;            // "MACHINE": in documents
  std::string_view collection;       // "machines": the directory that users make them in; "" for the daemon's
  ObjectKind reached_through;        // kind whose collection is on its path
  std::optional<KindOfUsers> users;  // absent for kinds that the daemon makes

  // Finds an object by name below its parent; nullopt if there is none.
  Result<std::optional<Id>> (*find)(db::Connection& db, Id parent, std::string_view name);
  Result<std::vector<Named>> (*list)(db::Connection& db, Id parent);
  // Returns the users' object that an object belongs to and whose owner it shares. Users' objects return
  // themselves.
  Result<Object> (*owner)(db::Connection& db, Id id);
  // Null for users' objects, whose path is collection and name.
  Result<std::string> (*path)(db::Connection& db, const Object& owner, Id id);
};

// Returns all kinds, in the order of ObjectKind.
std::span<const Kind> kinds();
const Kind& kind_of(ObjectKind kind);

// Functions of a transaction. With id 0, ownership_of() and path_of() answer for the kind's collection.
Result<Object> owner_of(db::Connection& db, ObjectKind kind, Id id);
Result<Ownership> ownership_of(db::Connection& db, ObjectKind kind, Id id);
// Returns the path for sentences and events: "flows/nightly", "flows".
Result<std::string> path_of(db::Connection& db, ObjectKind kind, Id id);

}  // namespace holdfast
