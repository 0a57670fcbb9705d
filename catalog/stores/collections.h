#pragma once

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Owners of the collections themselves: flows/, machines/ … Lives inside one transaction.
class Collections {
 public:
  explicit Collections(db::Connection& connection) : db_(connection) {}

  // Root's and readable by all until it is given away.
  Result<Ownership> get(DefinitionKind kind);
  Result<> set(DefinitionKind kind, const Ownership& ownership, Time now);

 private:
  db::Connection& db_;
};

}  // namespace holdfast
