#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"
#include "catalog/stores/object_store.h"

namespace holdfast {

// Repositories. Lives inside one transaction.
class Repositories : public ObjectStore {
 public:
  explicit Repositories(db::Connection& connection)
      : ObjectStore(connection, {DefinitionKind::repository, "repositories"}) {}

  Result<Repository> add(std::string_view name, const Ownership& ownership, Time now);  // EEXIST
  Result<Repository> get(Id id);                                                        // ENOENT
  // EBUSY when the path changes while points lie there; EEXIST when another repository has the path.
  // A new path forgets the marker: what is there has yet to be looked at.
  Result<> define(Id id, const RepositoryDefinition& definition, Time now);
  // EEXIST when another repository has the marker: one of the two is a copy.
  Result<> set_marker(Id id, std::string_view marker);
  Result<> remove(Id id);  // EBUSY while points or flows use it, with their names

  // Returns the next number of the repository's commits (law 21). It is above `found`, the highest that lies
  // there. The first call numbers the points and copies that are older than the count.
  Result<std::int64_t> take_number(Id id, std::int64_t found);
  // Notes that commits up to that number lie there of which the catalog lacks some.
  Result<> set_missed(Id id, std::int64_t commits);
  Result<std::vector<Id>> with_missed_commits();
  // Returns the number of the newest point or copy that is committed there; nullopt if it has none.
  Result<std::optional<std::int64_t>> last_committed(Id id);

  struct Usage {
    std::int64_t points = 0;
    std::uint64_t bytes_stored = 0;
  };
  Result<Usage> usage(Id id);  // kept as counters, not counted

 private:
  struct Users {
    std::string flows;  // in words
    std::int64_t points = 0;
  };
  Result<Users> users_of(Id id);
  Result<> number_earlier(Id id);
};

}  // namespace holdfast
