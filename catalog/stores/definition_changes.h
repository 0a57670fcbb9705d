#pragma once

#include <string_view>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Changes of definitions in their order, which repositories have yet to be told (law 10). One row a name,
// deleted names included. Lives inside one transaction.
class DefinitionChanges {
 public:
  explicit DefinitionChanges(db::Connection& connection) : db_(connection) {}

  struct Change {
    DefinitionKind kind = DefinitionKind::machine;
    std::string name;
    std::int64_t revision = 0;

    bool operator==(const Change&) const = default;
  };

  // Notes that the definition of that name is new, different or gone.
  Result<> note(DefinitionKind kind, std::string_view name);
  // Notes the same of all definitions that name this object, and makes their revisions grow.
  Result<> note_users(DefinitionKind kind, Id id);

  // The identity of this catalog: revisions of another one mean nothing here.
  Result<std::string> catalog_key();
  Result<std::int64_t> newest();  // 0 when there is none
  // Changes after a revision, oldest first.
  Result<std::vector<Change>> since(std::int64_t revision);

 private:
  db::Connection& db_;
};

}  // namespace holdfast
