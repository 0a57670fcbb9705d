#pragma once

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Who owns the collections themselves: flows/, machines/ … Lives inside one transaction.
class Collections {
 public:
  explicit Collections(db::Connection& connection) : db_(connection) {}

  // Root's, to be looked into by all, until somebody is given one.
  Result<Ownership> get(DefinitionKind kind);
  Result<> set(DefinitionKind kind, const Ownership& ownership, Time now);

 private:
  db::Connection& db_;
};

}  // namespace holdfast
