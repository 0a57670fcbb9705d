// Up, down, up again; and what is refused.
#include "catalog/db/migrations.h"

#include "tests/catalog/fixture.h"

namespace holdfast::db {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Migrations : public testing::Test {
 protected:
  // The whole schema as SQLite has it.
  std::string schema() {
    auto rows = must(connection->prepare("SELECT name, sql FROM sqlite_schema ORDER BY name"));
    std::string text;
    while (must(rows.step())) text += rows.text(0) + ": " + rows.text(1) + "\n";
    return text;
  }

  std::int64_t number(std::string_view sql) {
    Statement statement = must(connection->prepare(sql));
    EXPECT_TRUE(must(statement.step()));
    return statement.integer(0);
  }

  std::string refused(const std::vector<Migration>& known, int target) {
    const auto moved = migrate(*connection, known, target);
    EXPECT_FALSE(moved) << "it was accepted";
    return moved ? "" : moved.error().message;
  }

  // A parent with children that would go with it, and a second version that rebuilds the parent.
  const Migration first{1, "first",
                        R"sql(CREATE TABLE parents (id INTEGER PRIMARY KEY) STRICT;
                              CREATE TABLE children (
                                id INTEGER PRIMARY KEY,
                                parent_id INTEGER NOT NULL REFERENCES parents (id) ON DELETE CASCADE) STRICT;)sql",
                        "DROP TABLE children; DROP TABLE parents;"};
  const Migration rebuild{2, "rebuild",
                          R"sql(CREATE TABLE parents_new (
                                  id INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT 'none') STRICT;
                                INSERT INTO parents_new (id) SELECT id FROM parents;
                                DROP TABLE parents;
                                ALTER TABLE parents_new RENAME TO parents;)sql",
                          R"sql(CREATE TABLE parents_old (id INTEGER PRIMARY KEY) STRICT;
                                INSERT INTO parents_old SELECT id FROM parents;
                                DROP TABLE parents;
                                ALTER TABLE parents_old RENAME TO parents;)sql"};
  const std::vector<Migration> both{first, rebuild};
  const char* const two_families =
      "INSERT INTO parents (id) VALUES (1), (2); INSERT INTO children VALUES (1, 1), (2, 2)";

  TemporaryDirectory directory;
  std::string path = directory / "db";
  std::unique_ptr<Connection> connection = must(Connection::open(path, Mode::read_write));
};

TEST_F(Migrations, a_new_database_is_at_version_zero) {
  EXPECT_EQ(must(schema_version(*connection)), 0);
  must(migrate(*connection, both, 2));
  EXPECT_EQ(must(schema_version(*connection)), 2);
  EXPECT_EQ(number("PRAGMA foreign_keys"), 1);
}

TEST_F(Migrations, are_applied_once) {
  must(migrate(*connection, both, 2));
  must(connection->execute_script(two_families));
  must(migrate(*connection, both, 2));
  EXPECT_EQ(number("SELECT count(*) FROM parents"), 2);
}

TEST_F(Migrations, rebuilding_a_table_keeps_the_rows_that_refer_to_it) {
  must(migrate(*connection, both, 1));
  must(connection->execute_script(two_families));
  must(migrate(*connection, both, 2));
  EXPECT_EQ(number("SELECT count(*) FROM children"), 2);
  EXPECT_FALSE(connection->execute_script("INSERT INTO children VALUES (3, 9)")) << "the key still holds";
}

TEST_F(Migrations, with_foreign_keys_on_the_same_rebuild_would_take_the_children_along) {
  must(migrate(*connection, both, 1));
  must(connection->execute_script(two_families));
  must(connection->execute_script("BEGIN; " + rebuild.up + " COMMIT"));
  EXPECT_EQ(number("SELECT count(*) FROM children"), 0);
}

TEST_F(Migrations, down_and_up_again_give_the_same_schema_and_keep_the_rows_of_tables_that_stay) {
  must(migrate(*connection, both, 1));
  const std::string at_one = schema();
  must(migrate(*connection, both, 2));
  const std::string at_two = schema();
  must(connection->execute_script(two_families));
  must(migrate(*connection, both, 1));
  EXPECT_EQ(must(schema_version(*connection)), 1);
  EXPECT_EQ(number("SELECT count(*) FROM children"), 2);
  must(migrate(*connection, both, 2));
  EXPECT_EQ(schema(), at_two);
  EXPECT_EQ(number("SELECT count(*) FROM parents"), 2);
  EXPECT_EQ(number("SELECT count(*) FROM children"), 2);
  EXPECT_NE(at_one, at_two);
}

TEST_F(Migrations, the_programs_migrations_go_down_and_up_again_with_rows_inside) {
  const auto known = embedded_migrations();
  const int newest = static_cast<int>(known.size());
  must(migrate(*connection, known, newest));
  must(connection->execute_script("CREATE TABLE kept (id INTEGER) STRICT; INSERT INTO kept VALUES (5)"));
  const std::string before = schema();
  must(Machines(*connection).add("m", {}, at(0)));
  must(migrate(*connection, known, 0));
  EXPECT_EQ(number("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"),
            2);
  must(migrate(*connection, known, newest));
  EXPECT_EQ(schema(), before);
  EXPECT_EQ(number("SELECT id FROM kept"), 5);
  EXPECT_EQ(number("SELECT count(*) FROM machines"), 0);
}

TEST_F(Migrations, a_changed_applied_migration_is_refused_by_its_name) {
  must(migrate(*connection, both, 2));
  const std::string before = schema();
  Migration changed = first;
  changed.up += " ";
  EXPECT_THAT(refused({changed, rebuild}, 2),
              AllOf(HasSubstr("0001_first.up.sql was changed after it had been applied"),
                    HasSubstr("restore that file as it was"), HasSubstr("into a new migration")));
  EXPECT_EQ(schema(), before);
}

TEST_F(Migrations, an_applied_migration_of_another_name_is_refused) {
  must(migrate(*connection, both, 2));
  Migration renamed = rebuild;
  renamed.name = "other";
  EXPECT_THAT(refused({first, renamed}, 2), HasSubstr("0002_other.up.sql was changed"));
}

TEST_F(Migrations, an_unapplied_migration_may_still_be_changed) {
  must(migrate(*connection, both, 1));
  Migration changed = rebuild;
  changed.up += " ";
  must(migrate(*connection, std::vector{first, changed}, 2));
}

TEST_F(Migrations, a_catalog_newer_than_the_program_is_refused) {
  must(migrate(*connection, both, 2));
  EXPECT_THAT(refused({first}, 1), AllOf(HasSubstr("schema version 2"), HasSubstr("none newer than 1"),
                                         HasSubstr("newer Holdfast")));
}

TEST_F(Migrations, a_gap_in_the_applied_migrations_is_refused) {
  must(migrate(*connection, both, 2));
  must(connection->execute_script("DELETE FROM schema_migrations WHERE version = 1"));
  EXPECT_THAT(refused(both, 2), AllOf(HasSubstr("0002_rebuild.up.sql but not 0001_first.up.sql")));
}

TEST_F(Migrations, a_gap_in_the_known_migrations_is_refused) {
  EXPECT_THAT(refused({rebuild}, 1), HasSubstr("without a gap"));
  EXPECT_EQ(must(schema_version(*connection)), 0);
}

TEST_F(Migrations, an_unknown_version_is_refused) {
  EXPECT_THAT(refused(both, 3), HasSubstr("there is no schema version 3"));
  EXPECT_THAT(refused(both, -1), HasSubstr("there is no schema version -1"));
}

TEST_F(Migrations, a_migration_that_breaks_a_reference_is_rolled_back) {
  must(migrate(*connection, both, 1));
  must(connection->execute_script(two_families));
  const std::string before = schema();
  const Migration breaking{2, "breaking",
                           "DELETE FROM parents WHERE id = 1; CREATE TABLE extra (id INTEGER);", ""};
  EXPECT_THAT(refused({first, breaking}, 2),
              AllOf(HasSubstr("0002_breaking up"), HasSubstr("row 1 of children"), HasSubstr("parents")));
  EXPECT_EQ(schema(), before);
  EXPECT_EQ(must(schema_version(*connection)), 1);
  EXPECT_EQ(number("SELECT count(*) FROM parents"), 2);
  EXPECT_EQ(number("PRAGMA foreign_keys"), 1);
}

TEST_F(Migrations, a_migration_that_fails_half_way_is_rolled_back) {
  const Migration broken{1, "broken", "CREATE TABLE a (id INTEGER); CREATE TABLE a (id INTEGER);", ""};
  EXPECT_THAT(refused({broken}, 1), HasSubstr("0001_broken up"));
  EXPECT_EQ(number("SELECT count(*) FROM sqlite_schema WHERE name = 'a'"), 0);
  EXPECT_EQ(number("PRAGMA foreign_keys"), 1);
}

TEST_F(Migrations, a_migration_that_ends_its_transaction_is_refused) {
  const Migration ending{1, "ending", "CREATE TABLE a (id INTEGER); COMMIT;", ""};
  EXPECT_THAT(refused({ending}, 1), HasSubstr("leave BEGIN and COMMIT out"));
  EXPECT_EQ(must(schema_version(*connection)), 0);
}

TEST_F(Migrations, are_refused_inside_of_a_transaction) {
  auto transaction = must(Transaction::begin(*connection, Transaction::Kind::write));
  EXPECT_THAT(refused(both, 2), HasSubstr("bring their own transactions"));
}

TEST_F(Migrations, the_catalog_does_not_open_one_of_a_later_version) {
  must(migrate(*connection, embedded_migrations(), static_cast<int>(embedded_migrations().size())));
  must(connection->execute_script("INSERT INTO schema_migrations VALUES (99, 'later', 'x', 0)"));
  const auto catalog = Catalog::open(path);
  ASSERT_FALSE(catalog);
  EXPECT_THAT(catalog.error().message, HasSubstr("schema version 99"));
}

TEST_F(Migrations, the_catalog_does_not_open_one_with_a_changed_migration) {
  must(migrate(*connection, embedded_migrations(), static_cast<int>(embedded_migrations().size())));
  must(connection->execute_script("UPDATE schema_migrations SET checksum = 'x'"));
  const auto catalog = Catalog::open(path);
  ASSERT_FALSE(catalog);
  EXPECT_THAT(catalog.error().message, HasSubstr("0001_model.up.sql was changed"));
}

}  // namespace
}  // namespace holdfast::db
