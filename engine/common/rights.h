// Law 19: a flow does nothing that its owner may not do himself.
//
// Functions of a transaction.
#pragma once

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Whoever that is by himself, with the groups that this host's user database gives him: what a command of his
// would run as.
Caller as_caller(const Ownership& ownership);

// At each run: the owner may write to the machines and the repositories that the flow names. EACCES names the
// first where he may not.
Result<> check_owner_rights(db::Connection& db, const Flow& flow);

// When it is set: the same, and of whoever sets it, for what is named anew. What else a flow refers to he
// must be able to look into.
Result<> check_references(db::Connection& db, const Flow& before, const Flow& after, const Caller& caller);

}  // namespace holdfast
