#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"
#include "catalog/stores/row.h"

namespace holdfast {

// What the stores of all that users make have in common: the first columns of their tables, names, owners,
// lists of text. Lives inside one transaction. Whatever changes a definition here is noted for the
// repositories (definition_changes.h).
class ObjectStore {
 public:
  Result<std::optional<Id>> find(std::string_view name);
  Result<Id> resolve(std::string_view name);                // ENOENT, naming it
  Result<std::vector<Named>> list();                        // by name
  Result<std::vector<Id>> after(Id id, int at_most);        // the next ones, by age
  Result<std::string> name_of(Id id);                       // ENOENT
  Result<Ownership> ownership(Id id);                       // ENOENT
  Result<> rename(Id id, std::string_view name, Time now);  // EEXIST; what refers to it follows
  Result<> set_ownership(Id id, const Ownership& ownership, Time now);

 protected:
  struct Kind {
    DefinitionKind kind;
    std::string_view many;  // "machines": the table
  };

  ObjectStore(db::Connection& connection, Kind kind) : db_(connection), kind_(kind) {}
  ~ObjectStore() = default;

  // A new object that is not in the database yet: its name checked, its id made.
  Result<Object> make(std::string_view name, const Ownership& ownership, Time now) const;
  // To be called by define once the row is right: `found` is whether there was one.
  Result<> defined(Id id, bool found, const std::vector<std::string>& tags);
  // Deletes the row. The store has made sure that nothing needs it.
  Result<> erase(Id id);

  // A list of text that belongs to an object: the column `what` of the table machine_{what}s.
  Result<std::vector<std::string>> texts(std::string_view what, Id id);
  Result<> set_texts(std::string_view what, Id id, const std::vector<std::string>& texts);

  // The names that a query for ":id" finds, in words: "", or "flow 'a', 'b' and 7 more".
  Result<std::string> users(std::string_view one, std::string_view query, Id id);

  Error missing(Id id) const;                                        // ENOENT
  Error taken(const db::Error& error, std::string_view name) const;  // EEXIST when it is the name's
  std::string_view one() const { return to_word(kind_.kind); }

  db::Connection& db_;

 private:
  Kind kind_;
};

// The common columns, in this order: id, name, uid, gid, mode, complete, revision, created_at,
// changed_at, description.
Row& read_object(Row& row, Object& object, std::string& description);
// Binds all of them but the description.
db::Statement& bind_object(db::Statement& statement, const Object& object);

}  // namespace holdfast
