// What the stores of machines, repositories and flows have in common: the first columns of their
// tables, names, and tags.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"
#include "catalog/stores/row.h"

namespace holdfast {

// A part of a store, and lives like it inside one transaction.
class Objects {
 public:
  struct Kind {
    std::string_view one;   // "machine": for sentences, and its tags are in machine_tags
    std::string_view many;  // "machines": the table
  };

  Objects(db::Connection& connection, Kind kind) : db_(connection), kind_(kind) {}

  // A new object that is not in the database yet: its name checked, its id made.
  Result<Object> make(std::string_view name, const Ownership& ownership, Time now) const;
  Result<std::optional<Id>> find(std::string_view name);
  Result<std::vector<Named>> list();   // by name
  Result<std::string> name_of(Id id);  // ENOENT
  Result<> rename(Id id, std::string_view name, Time now);

  Result<std::vector<std::string>> tags(Id id);
  Result<> set_tags(Id id, const std::vector<std::string>& tags);

  Error missing(Id id) const;                                        // ENOENT
  Error taken(const db::Error& error, std::string_view name) const;  // EEXIST when it is the name's

 private:
  db::Connection& db_;
  Kind kind_;
};

// The common columns, in this order: id, name, uid, gid, mode, complete, revision, created_at,
// changed_at, description.
Row& read_object(Row& row, Object& object, std::string& description);
// Binds all of them but the description.
db::Statement& bind_object(db::Statement& statement, const Object& object);

// "'a', 'b' and 7 more", for sentences.
std::string quoted_list(const std::vector<std::string>& names);

}  // namespace holdfast
