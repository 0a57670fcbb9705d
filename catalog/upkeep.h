// Upkeep of a catalog: the lock of its process, its version, its faults.
#pragma once

#include <string>
#include <vector>

#include "catalog/base/fd.h"
#include "catalog/db/connection.h"

namespace holdfast {

// Lock on PATH.lock, held by the object, so that one process at a time has a catalog. The kernel releases it
// however the process ends.
class CatalogLock {
 public:
  CatalogLock() = default;                                   // locks nothing
  static Result<CatalogLock> take(const std::string& path);  // EBUSY

 private:
  explicit CatalogLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

// The version that this program makes.
int newest_version();

// Path of the copy that is made before a catalog is brought to that version.
std::string backup_path(const std::string& path, int version);

// Moves the schema up or down to `version`. Before the first step the database is copied to backup_path,
// where it stays; a new one is not. The caller has the lock.
Result<> bring_to(db::Connection& connection, const std::string& path, int version);

// All faults, a sentence each: pages and indexes, references to rows that are not there, migrations that are
// not this program's. Reads the whole file.
Result<std::vector<std::string>> find_faults(db::Connection& connection);

}  // namespace holdfast
