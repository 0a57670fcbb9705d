#include "catalog/upkeep.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cstdio>
#include <filesystem>

#include "catalog/base/disk.h"
#include "catalog/db/migrations.h"

namespace holdfast {
namespace {

// Copies under another name and renames at the end, so that a file of the right name is whole.
Result<> copy_to(db::Connection& connection, const std::string& path) {
  const std::string unfinished = path + ".new";
  ::unlink(unfinished.c_str());
  HF_CHECK(connection.back_up(unfinished));
  if (std::rename(unfinished.c_str(), path.c_str()) != 0) return fail_errno("renaming {}", unfinished);
  const std::string parent = std::filesystem::path(path).parent_path();
  HF_TRY(const auto directory, open_directory(parent.empty() ? "." : parent));
  return directory->sync(".");
}

}  // namespace

Result<CatalogLock> CatalogLock::take(const std::string& path) {
  const std::string file = path + ".lock";
  Fd fd{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!fd) return fail_errno("opening {}", file);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return CatalogLock(std::move(fd));
  if (errno == EWOULDBLOCK) return fail(EBUSY, "the catalog {} is in use by another process", path);
  return fail_errno("locking {}", file);
}

int newest_version() { return static_cast<int>(db::embedded_migrations().size()); }

std::string backup_path(const std::string& path, int version) {
  return fmt::format("{}.before-{}", path, version);
}

Result<> bring_to(db::Connection& connection, const std::string& path, int version) {
  const auto known = db::embedded_migrations();
  HF_CHECK(db::check_migrations(connection, known));
  HF_TRY(const int present, db::schema_version(connection));
  if (present != 0 && present != version) HF_CHECK(copy_to(connection, backup_path(path, version)));
  return db::migrate(connection, known, version);
}

Result<std::vector<std::string>> find_faults(db::Connection& connection) {
  std::vector<std::string> faults;
  if (const auto known = db::check_migrations(connection, db::embedded_migrations()); !known)
    faults.push_back(known.error().message);
  HF_TRY(const auto damage, connection.damage());
  faults.insert(faults.end(), damage.begin(), damage.end());
  HF_TRY(const auto broken, connection.broken_references());
  for (const db::BrokenReference& reference : broken)
    faults.push_back(fmt::format("{} of {} refers to a row of {} that is not there",
                                 reference.row ? fmt::format("row {}", *reference.row) : "a row",
                                 reference.table, reference.parent));
  return faults;
}

}  // namespace holdfast
