#pragma once

#include <string_view>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Which definitions have changed, and in what order: what repositories have yet to be told (law 10). A row a
// name, also of names that are no more. Lives inside one transaction.
class DefinitionChanges {
 public:
  explicit DefinitionChanges(db::Connection& connection) : db_(connection) {}

  struct Change {
    DefinitionKind kind = DefinitionKind::machine;
    std::string name;
    std::int64_t revision = 0;

    bool operator==(const Change&) const = default;
  };

  // What is under that name is new, different, or gone.
  Result<> note(DefinitionKind kind, std::string_view name);
  // So are the definitions that name this object: their revisions grow, too.
  Result<> note_users(DefinitionKind kind, Id id);

  // Which catalog counts these revisions: another one's mean nothing here.
  Result<std::string> catalog_key();
  Result<std::int64_t> newest();  // 0 when there is none
  // Those after a revision, oldest first.
  Result<std::vector<Change>> since(std::int64_t revision);

 private:
  db::Connection& db_;
};

}  // namespace holdfast
