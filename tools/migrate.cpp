#include "tools/migrate.h"

#include <getopt.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>

#include "catalog/db/migrations.h"
#include "catalog/upkeep.h"
#include "tools/exit_status.h"

namespace holdfast {
namespace {

constexpr const char* kMigrateUsage = R"(Usage: holdfast migrate status|up|down|verify [--state DIR]

Maintains the catalog of a stopped daemon.

  status   prints the schema's version and the pending migrations; works beside a running daemon
  up       brings the catalog to this program's version, as the daemon does at its start
  down     undoes the last migration, for the previous version of the program
  verify   checks the whole catalog: pages, indexes, references, and the texts of its migrations

Before a migration the catalog is copied to catalog.sqlite.before-VERSION, and the copy is kept.

  --state DIR   directory of the catalog (/var/lib/holdfast)

Example: holdfast migrate verify --state /var/lib/holdfast

Exit status: 0 on success, 1 on failure or when verify finds a fault, 2 for a wrong command line.
)";

void say(const std::string& line) { std::printf("%s\n", line.c_str()); }

Result<std::unique_ptr<db::Connection>> open_present(const std::string& path, db::Mode mode) {
  if (::access(path.c_str(), F_OK) != 0) return fail_errno("there is no catalog {}", path);
  return db::Connection::open(path, mode);
}

Result<> status(const std::string& path) {
  HF_TRY(const auto connection, open_present(path, db::Mode::read_only));
  HF_TRY(const int version, db::schema_version(*connection));
  const int newest = newest_version();
  say(fmt::format("{}: version {}, this program's is {}", path, version, newest));
  for (const db::Migration& migration : db::embedded_migrations())
    say(fmt::format("  {:04}_{:<12} {}", migration.version, migration.name,
                    migration.version <= version ? "applied" : "to be applied"));
  return db::check_migrations(*connection, db::embedded_migrations());
}

Result<> move_by(const std::string& path, const std::function<int(int)>& target_of) {
  if (::access(path.c_str(), F_OK) != 0) return fail_errno("there is no catalog {}", path);
  HF_TRY(const CatalogLock lock, CatalogLock::take(path));
  HF_TRY(const auto connection, open_present(path, db::Mode::read_write));
  HF_TRY(const int before, db::schema_version(*connection));
  const int target = target_of(before);
  HF_CHECK(bring_to(*connection, path, target));
  if (target == before)
    say(fmt::format("{}: version {}, nothing to do", path, before));
  else
    say(fmt::format("{}: version {} → {}; copy of the old one: {}", path, before, target,
                    backup_path(path, target)));
  return {};
}

Result<> up(const std::string& path) {
  return move_by(path, [](int before) { return std::max(before, newest_version()); });
}

Result<> down(const std::string& path) {
  return move_by(path, [](int before) { return std::max(before - 1, 0); });
}

Result<> verify(const std::string& path) {
  if (::access(path.c_str(), F_OK) != 0) return fail_errno("there is no catalog {}", path);
  HF_TRY(const CatalogLock lock, CatalogLock::take(path));
  HF_TRY(const auto connection, open_present(path, db::Mode::read_write));
  HF_TRY(const auto faults, find_faults(*connection));
  for (const std::string& fault : faults) say(fault);
  if (!faults.empty())
    return fail(EIO, "{} has {} fault{}", path, faults.size(), faults.size() == 1 ? "" : "s");
  say(fmt::format("{}: no fault", path));
  return {};
}

}  // namespace

int migrate(int count, char** words) {
  static const option known[] = {{"state", required_argument, nullptr, 's'},
                                 {"help", no_argument, nullptr, 'h'},
                                 {nullptr, 0, nullptr, 0}};
  std::string state = "/var/lib/holdfast";
  for (int found; (found = getopt_long(count, words, "h", known, nullptr)) != -1;) switch (found) {
      case 's': state = optarg; break;
      case 'h': std::fputs(kMigrateUsage, stdout); return EXIT_SUCCESS;
      default: std::fputs(kMigrateUsage, stderr); return kWrongCommandLine;
    }
  static const std::map<std::string_view, Result<> (*)(const std::string&)> tasks = {
      {"status", status}, {"up", up}, {"down", down}, {"verify", verify}};
  const auto task = optind + 1 == count ? tasks.find(words[optind]) : tasks.end();
  if (task == tasks.end()) {
    std::fputs(kMigrateUsage, stderr);
    return kWrongCommandLine;
  }
  if (const auto done = task->second(state + "/catalog.sqlite"); !done) {
    std::fprintf(stderr, "holdfast: %s\n", done.error().message.c_str());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}

}  // namespace holdfast
