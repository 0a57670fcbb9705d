// Versions of a real catalog: up, down and up again with rows in every table; the copy made before; one
// process at a time; damage is found.
#include "catalog/upkeep.h"

#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "catalog/db/migrations.h"
#include "tests/catalog/fixture.h"
#include "tests/catalog/schema_rows.h"

namespace holdfast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Upkeep : public testing::Test {
 protected:
  std::unique_ptr<db::Connection> open() { return must(db::Connection::open(path, db::Mode::read_write)); }

  std::string text(db::Connection& db, const std::string& sql) {
    std::string found;
    auto rows = must(db.prepare(sql));
    while (must(rows.step())) found += rows.text(0) + "\n";
    return found;
  }
  std::string schema(db::Connection& db) {
    return text(db, "SELECT name || ': ' || coalesce(sql, '') FROM sqlite_schema ORDER BY name");
  }
  // The number of rows of each table.
  std::string rows(db::Connection& db) {
    std::string found;
    auto tables = must(db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"));
    while (must(tables.step()))
      found += tables.text(0) + ": " + text(db, "SELECT count(*) FROM " + tables.text(0));
    return found;
  }
  void fill(db::Connection& db) {
    must(db.execute_script("UPDATE identity SET key = 'x'; DELETE FROM identity"));
    must(db.execute_script(kSchemaRows));
  }

  TemporaryDirectory directory;
  const std::string path = directory / "catalog.sqlite";
  const int newest = newest_version();
};

TEST_F(Upkeep, every_version_goes_down_and_up_again_with_rows_inside) {
  const auto db = open();
  const auto known = db::embedded_migrations();
  std::vector<std::string> schemas;
  for (int version = 0; version <= newest; ++version) {
    must(db::migrate(*db, known, version));
    schemas.push_back(schema(*db));
  }
  fill(*db);
  // migrate itself checks foreign keys after each step.
  for (int version = newest - 1; version >= 1; --version) {
    must(db::migrate(*db, known, version));
    EXPECT_EQ(schema(*db), schemas[static_cast<std::size_t>(version)]) << "down to " << version;
  }
  EXPECT_EQ(text(*db, "SELECT complete FROM flows WHERE id = 4"), "1\n");
  for (int version = 2; version <= newest; ++version) {
    must(db::migrate(*db, known, version));
    EXPECT_EQ(schema(*db), schemas[static_cast<std::size_t>(version)]) << "up to " << version;
  }
  EXPECT_THAT(must(find_faults(*db)), IsEmpty());
  EXPECT_EQ(text(*db, "SELECT flows FROM totals"), text(*db, "SELECT count(*) FROM flows"));
  must(db::migrate(*db, known, 0));
}

TEST_F(Upkeep, going_down_below_points_keeps_history_and_counts_no_points) {
  const auto db = open();
  const auto known = db::embedded_migrations();
  must(db::migrate(*db, known, newest));
  fill(*db);
  must(db->execute_script("UPDATE machines SET points = 3, prune_due = 1 WHERE id = 1"));
  must(db::migrate(*db, known, 2));
  EXPECT_EQ(text(*db, "SELECT count(*) FROM executions"), "9\n");
  EXPECT_EQ(text(*db, "SELECT sum(points) + sum(prune_due) FROM machines"), "0\n");
  EXPECT_EQ(text(*db, "SELECT sum(points) + sum(bytes_stored) FROM repositories"), "0\n");
  EXPECT_EQ(text(*db, "SELECT points FROM totals"), "0\n");
}

TEST_F(Upkeep, an_older_catalog_is_copied_before_it_is_brought_up) {
  {
    const auto db = open();
    must(db::migrate(*db, db::embedded_migrations(), 1));
    must(db->execute_script(R"sql(
      INSERT INTO machines (id, name, uid, gid, mode, revision, created_at, changed_at, key)
      VALUES (1, 'm', 0, 0, 488, 1, 0, 0, 'm-1'))sql"));
  }
  must(Catalog::open(path));
  const auto copy = must(db::Connection::open(backup_path(path, newest), db::Mode::read_only));
  EXPECT_EQ(must(db::schema_version(*copy)), 1);
  EXPECT_EQ(text(*copy, "SELECT name FROM machines"), "m\n");
  EXPECT_EQ(text(*copy, "PRAGMA integrity_check"), "ok\n");
  const auto db = open();
  EXPECT_EQ(must(db::schema_version(*db)), newest);
  EXPECT_EQ(text(*db, "SELECT name FROM machines"), "m\n");
}

TEST_F(Upkeep, neither_a_new_catalog_nor_one_that_is_up_to_date_is_copied) {
  must(Catalog::open(path));
  must(Catalog::open(path));
  EXPECT_FALSE(std::filesystem::exists(backup_path(path, newest)));
}

TEST_F(Upkeep, a_catalog_that_cannot_be_copied_is_left_as_it_is) {
  {
    const auto db = open();
    must(db::migrate(*db, db::embedded_migrations(), 1));
  }
  std::filesystem::create_directory(backup_path(path, newest) + ".new");
  EXPECT_FALSE(Catalog::open(path));
  const auto db = open();
  EXPECT_EQ(must(db::schema_version(*db)), 1);
}

TEST_F(Upkeep, one_process_at_a_time_has_a_catalog) {
  auto first = must(Catalog::open(path));
  const auto second = Catalog::open(path);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EBUSY);
  EXPECT_THAT(second.error().message, HasSubstr(path));
  first.reset();
  EXPECT_TRUE(Catalog::open(path));
}

TEST_F(Upkeep, a_process_that_was_killed_has_nothing_any_more) {
  int there[2];
  ASSERT_EQ(pipe(there), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto catalog = Catalog::open(path);
    if (!catalog || write(there[1], "x", 1) != 1) _exit(1);
    for (;;) pause();
  }
  char byte = 0;
  ASSERT_EQ(read(there[0], &byte, 1), 1);
  EXPECT_FALSE(Catalog::open(path));
  kill(child, SIGKILL);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  close(there[0]);
  close(there[1]);
  EXPECT_TRUE(Catalog::open(path));
}

TEST_F(Upkeep, faults_are_found) {
  must(Catalog::open(path));
  {
    const auto db = open();
    EXPECT_THAT(must(find_faults(*db)), IsEmpty());
    must(db->execute_script(
        "PRAGMA foreign_keys = OFF; INSERT INTO definition_changes VALUES ('bogus', 'x', 1)"));
    EXPECT_THAT(must(find_faults(*db)),
                ElementsAre(HasSubstr(
                    "a row of definition_changes refers to a row of definition_kinds that is not there")));
    must(db->execute_script("DELETE FROM definition_changes"));
    must(db->execute_script("UPDATE schema_migrations SET checksum = 'x' WHERE version = 2"));
    EXPECT_THAT(must(find_faults(*db)), ElementsAre(HasSubstr("0002_runs.up.sql was changed")));
  }
}

TEST_F(Upkeep, a_damaged_index_is_found) {
  must(Catalog::open(path));
  const auto db = open();
  must(Machines(*db).add("m", {}, at(0)));
  must(db->execute_script(R"sql(
    PRAGMA writable_schema = ON;
    CREATE TABLE other (id INTEGER PRIMARY KEY, name TEXT);
    CREATE INDEX other_by_name ON other (name);
    INSERT INTO other VALUES (1, 'a');
    UPDATE sqlite_schema SET sql = 'CREATE INDEX other_by_name ON other (id)' WHERE name = 'other_by_name')sql"));
  const auto again = open();
  EXPECT_THAT(must(find_faults(*again)), testing::Not(IsEmpty()));
}

}  // namespace
}  // namespace holdfast
