// Numbered steps from one version of the schema to the next, and back.
//
// Each is applied in one transaction and recorded with the SHA-256 of its up text. Foreign keys are
// switched off before BEGIN (inside a transaction SQLite ignores the pragma, and rebuilding a table
// would cascade its children away), foreign_key_check must be clean before COMMIT.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "catalog/base/error.h"
#include "catalog/db/connection.h"

namespace holdfast::db {

struct Migration {
  int version = 0;
  std::string name;
  std::string up;
  std::string down;
};

// The migrations built into the program, by version.
std::span<const Migration> embedded_migrations();

// The version that the database is at: 0 when it is new.
holdfast::Result<int> schema_version(Connection& connection);

// Checks that every applied migration is a known one, unchanged. Changes nothing.
holdfast::Result<> check_migrations(Connection& connection, std::span<const Migration> known);

// Checks what is applied against `known` (a changed file, a gap, a version newer than all known: each is
// refused with its own sentence), then moves up or down to `target`.
holdfast::Result<> migrate(Connection& connection, std::span<const Migration> known, int target);

}  // namespace holdfast::db
