// Law 19: a flow does nothing that its owner may not do.
//
// Functions of a transaction.
#pragma once

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Returns the owner as a Caller, with the groups of the host's user database. A user without an account has
// the object's group, but never root's.
Caller as_caller(const Ownership& ownership);

// Checks at each run that the flow's owner may write to the machines and repositories that the flow names.
// Returns EACCES with the first one that the owner may not write to.
Result<> check_owner_rights(db::Connection& db, const Flow& flow);

// Checks a changed definition: the rights of the owner, and for each newly named object the rights of the
// caller, who needs write on machines and repositories, and read and search on everything else.
Result<> check_references(db::Connection& db, const Flow& before, const Flow& after, const Caller& caller);

}  // namespace holdfast
