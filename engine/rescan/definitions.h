// Definitions as a repository carries them (repository/definitions.h), for a catalog that lacks them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "catalog/base/disk.h"
#include "catalog/db/connection.h"
#include "engine/rescan/found.h"

namespace holdfast::rescan {

struct FoundDefinition {
  DefinitionKind kind = DefinitionKind::machine;
  std::string file;
  std::string name;
  Ownership owner;
  std::string definition;  // the text of its config.json
  std::string key;         // a machine's
  std::string marker;      // a repository's
  Id id = 0;               // a flow's
  std::optional<Time> retired_at;
  std::chrono::seconds retired_keep{0};
  std::vector<Member> members;                      // a group's
  std::map<DefinitionKind, Ownership> collections;  // owners of collections
};

// Reads all definitions of a repository. Files that can't be used are findings.
Result<std::vector<FoundDefinition>> read_definitions(const Directory& directory,
                                                      std::vector<Finding>& findings);

// Adds the objects that the catalog lacks, under their names and owners. What the catalog has stays, and is a
// finding where it differs. `path` is where the repository with that marker lies now. Call inside a
// transaction. Returns the names of what was added, as "flows/nightly".
struct Here {
  std::string marker, path;
};
Result<std::vector<std::string>> add_definitions(db::Connection& db, std::vector<FoundDefinition> found,
                                                 const Here& here, Time now, std::vector<Finding>& findings);

}  // namespace holdfast::rescan
