// What is done to a catalog apart from its daily use: who has it, which version it is at, whether it is
// whole.
#pragma once

#include <string>
#include <vector>

#include "catalog/base/fd.h"
#include "catalog/db/connection.h"

namespace holdfast {

// One process at a time has a catalog: a lock on PATH.lock, held for as long as this lives, and let go by the
// kernel however the process ends.
class CatalogLock {
 public:
  CatalogLock() = default;                                   // of nothing
  static Result<CatalogLock> take(const std::string& path);  // EBUSY

 private:
  explicit CatalogLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

// That this program makes.
int newest_version();

// Where the copy of a catalog lies that was made before it was brought to that version.
std::string backup_path(const std::string& path, int version);

// Moves the schema up or down to `version`. Before the first step the database is copied to backup_path,
// where it stays; a new one is not. The caller has the lock.
Result<> bring_to(db::Connection& connection, const std::string& path, int version);

// Everything that is wrong with it, a sentence each: pages and indexes, references to rows that are not
// there, migrations that are not this program's. Reads the whole file.
Result<std::vector<std::string>> find_faults(db::Connection& connection);

}  // namespace holdfast
