// The seam: what a Connection, its Statements and a Transaction promise, over the real SQLite.
#include <sys/stat.h>

#include <fstream>
#include <limits>
#include <memory>

#include "tests/catalog/fixture.h"

namespace holdfast::db {
namespace {

using testing::HasSubstr;

class Database : public testing::Test {
 protected:
  Database() {
    must(connection->execute_script(R"sql(
      CREATE TABLE parents (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
      CREATE TABLE children (
        id INTEGER PRIMARY KEY,
        parent_id INTEGER REFERENCES parents (id),
        strict_parent_id INTEGER REFERENCES parents (id) ON DELETE RESTRICT,
        age INTEGER,
        CONSTRAINT nobody_is_that_old CHECK (age < 200)) STRICT;
      INSERT INTO parents VALUES (1, 'eve'))sql"));
  }

  Result<> run(std::string_view sql) {
    HF_TRY(Statement statement, connection->prepare(sql));
    return statement.run();
  }

  std::int64_t number(std::string_view sql) {
    Statement statement = must(connection->prepare(sql));
    EXPECT_TRUE(must(statement.step()));
    return statement.integer(0);
  }

  Error refused(std::string_view sql) {
    const auto result = run(sql);
    EXPECT_FALSE(result) << sql;
    return result ? Error{} : result.error();
  }

  TemporaryDirectory directory;
  std::string path = directory / "db";
  std::unique_ptr<Connection> connection = must(Connection::open(path, Mode::read_write));
};

TEST_F(Database, is_durable_and_private_and_keeps_foreign_keys) {
  EXPECT_EQ(number("PRAGMA synchronous"), 2);  // FULL
  EXPECT_EQ(number("PRAGMA foreign_keys"), 1);
  Statement mode = must(connection->prepare("PRAGMA journal_mode"));
  ASSERT_TRUE(must(mode.step()));
  EXPECT_EQ(mode.text(0), "wal");
  for (const char* name : {"db", "db-wal", "db-shm"}) {
    struct stat status {};
    ASSERT_EQ(stat((directory / name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 0777, 0600u) << name;
  }
}

TEST_F(Database, every_broken_constraint_has_its_kind_and_name) {
  EXPECT_EQ(refused("INSERT INTO parents VALUES (2, 'eve')").kind, Kind::unique);
  EXPECT_EQ(refused("INSERT INTO parents VALUES (2, 'eve')").constraint, "parents.name");
  EXPECT_EQ(refused("INSERT INTO parents VALUES (1, 'ann')").kind, Kind::unique);
  EXPECT_EQ(refused("INSERT INTO children (parent_id) VALUES (7)").kind, Kind::foreign_key);
  EXPECT_EQ(refused("INSERT INTO parents VALUES (2, NULL)").kind, Kind::not_null);
  EXPECT_EQ(refused("INSERT INTO parents VALUES (2, NULL)").constraint, "parents.name");
  EXPECT_EQ(refused("INSERT INTO children (age) VALUES (200)").kind, Kind::check);
  EXPECT_EQ(refused("INSERT INTO children (age) VALUES (200)").constraint, "nobody_is_that_old");
  EXPECT_EQ(refused("INSERT INTO children (age) VALUES ('old')").kind, Kind::check);  // STRICT
}

TEST_F(Database, a_row_that_is_referred_to_is_a_foreign_key_error_however_it_is_guarded) {
  ASSERT_TRUE(run("INSERT INTO children (parent_id) VALUES (1)"));
  EXPECT_EQ(refused("DELETE FROM parents").kind, Kind::foreign_key);
  ASSERT_TRUE(run("UPDATE children SET parent_id = NULL, strict_parent_id = 1"));
  EXPECT_EQ(refused("DELETE FROM parents").kind, Kind::foreign_key);
}

TEST_F(Database, a_lock_held_by_another_is_retry_and_nothing_of_it_stays) {
  const auto other = must(Connection::open(path, Mode::read_write));
  must(connection->execute_script("PRAGMA busy_timeout = 0"));
  auto theirs = must(Transaction::begin(*other, Transaction::Kind::write));
  const auto ours = Transaction::begin(*connection, Transaction::Kind::write);
  ASSERT_FALSE(ours);
  EXPECT_EQ(ours.error().kind, Kind::retry);
  must(theirs.commit());
  EXPECT_TRUE(Transaction::begin(*connection, Transaction::Kind::write));
}

TEST_F(Database, a_full_database_is_full_and_nothing_more_is_done_in_its_transaction) {
  must(connection->execute_script("PRAGMA max_page_count = 10"));
  {
    auto transaction = must(Transaction::begin(*connection, Transaction::Kind::write));
    must(run("INSERT INTO parents VALUES (2, 'ann')"));
    const Error error = refused("INSERT INTO parents VALUES (3, hex(zeroblob(100000)))");
    EXPECT_EQ(error.kind, Kind::full);
    EXPECT_EQ(holdfast::Error(error).code, ENOSPC);
    // SQLite may have rolled back by now: this one would stand alone, and be committed.
    EXPECT_EQ(refused("INSERT INTO parents VALUES (4, 'bob')").kind, Kind::lost);
    EXPECT_FALSE(transaction.commit());
  }
  EXPECT_EQ(number("SELECT count(*) FROM parents"), 1);
  EXPECT_TRUE(run("INSERT INTO parents VALUES (5, 'joe')"));
}

TEST_F(Database, a_file_that_is_no_database_is_lost) {
  const std::string other = directory / "other";
  std::ofstream(other) << std::string(4096, 'x');
  const auto opened = Connection::open(other, Mode::read_write);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, Kind::lost);
  EXPECT_EQ(holdfast::Error(opened.error()).code, EIO);
}

TEST_F(Database, a_read_only_connection_reads_but_does_not_write) {
  connection = must(Connection::open(path, Mode::read_only));
  EXPECT_EQ(number("SELECT count(*) FROM parents"), 1);
  EXPECT_FALSE(run("DELETE FROM parents"));
}

TEST_F(Database, values_come_back_as_they_were) {
  must(connection->execute_script("CREATE TABLE all_kinds (n INTEGER, t TEXT, b BLOB, o INTEGER) STRICT"));
  const Bytes blob{std::byte{0}, std::byte{255}, std::byte{0}};
  auto insert = must(connection->prepare("INSERT INTO all_kinds VALUES (:n, :t, :b, :o)"));
  must(insert.bind(":n", std::int64_t{-5})
           .bind(":t", "žluť")
           .bind(":b", ByteView(blob))
           .bind_null(":o")
           .run());
  must(insert.bind(":n", std::numeric_limits<std::int64_t>::max())
           .bind(":t", "")
           .bind(":b", ByteView{})
           .bind(":o", std::optional<std::int64_t>{7})
           .run());
  auto rows = must(connection->prepare("SELECT n, t, b, o FROM all_kinds ORDER BY n"));
  ASSERT_TRUE(must(rows.step()));
  EXPECT_EQ(rows.integer(0), -5);
  EXPECT_EQ(rows.text(1), "žluť");
  EXPECT_EQ(rows.blob(2), blob);
  EXPECT_TRUE(rows.is_null(3));
  ASSERT_TRUE(must(rows.step()));
  EXPECT_EQ(rows.integer(0), std::numeric_limits<std::int64_t>::max());
  EXPECT_FALSE(rows.is_null(1));
  EXPECT_FALSE(rows.is_null(2));
  EXPECT_EQ(rows.blob(2), Bytes{});
  EXPECT_EQ(rows.integer(3), 7);
  EXPECT_FALSE(must(rows.step()));
  EXPECT_FALSE(must(rows.step())) << "a statement that is done does not begin again";
}

TEST_F(Database, a_name_that_the_statement_does_not_have_is_refused) {
  auto insert = must(connection->prepare("INSERT INTO parents VALUES (:id, :name)"));
  const auto done = insert.bind(":id", 2).bind(":nmae", "ann").bind(":name", "ann").run();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, Kind::check);
  EXPECT_THAT(done.error().message, HasSubstr(":nmae"));
}

TEST_F(Database, a_parameter_that_nobody_bound_is_refused) {
  auto insert = must(connection->prepare("INSERT INTO parents VALUES (:id, :name)"));
  const auto done = insert.bind(":id", 2).run();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, Kind::check);
  EXPECT_THAT(done.error().message, HasSubstr(":name"));
}

TEST_F(Database, text_with_a_nul_is_refused) {
  auto insert = must(connection->prepare("INSERT INTO parents VALUES (:id, :name)"));
  const auto done = insert.bind(":id", 2).bind(":name", std::string_view("a\0b", 3)).run();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, Kind::check);
  EXPECT_EQ(number("SELECT count(*) FROM parents"), 1);
}

TEST_F(Database, returning_is_stepped_to_its_end) {
  must(connection->execute_script("INSERT INTO parents VALUES (2, 'ann'), (3, 'bob')"));
  must(run("DELETE FROM parents RETURNING id"));
  EXPECT_EQ(connection->changes(), 3);
  EXPECT_EQ(number("SELECT count(*) FROM parents"), 0);
}

TEST_F(Database, a_statement_may_be_run_again_with_other_values) {
  auto insert = must(connection->prepare("INSERT INTO parents VALUES (:id, :name)"));
  for (int id = 2; id < 10; ++id) must(insert.bind(":id", id).bind(":name", std::to_string(id)).run());
  EXPECT_EQ(number("SELECT count(*) FROM parents"), 9);
}

// SQLite compiles it anew, and its names of the parameters are then others.
TEST_F(Database, a_statement_is_bound_again_after_the_schema_has_changed) {
  const auto insert = [&](std::int64_t id) {
    Statement add = must(connection->prepare("INSERT INTO children (id, age) VALUES (:id, :age)"));
    return add.bind(":id", id).bind(":age", id + 10).run();
  };
  must(insert(1));
  must(connection->execute_script("ALTER TABLE children ADD COLUMN height INTEGER"));
  must(insert(2));
  must(insert(3));
  EXPECT_EQ(number("SELECT sum(age) FROM children"), 11 + 12 + 13);
}

TEST_F(Database, a_statement_given_back_half_read_begins_anew_with_nothing_bound) {
  const std::string_view sql = "SELECT id FROM parents WHERE id >= :from ORDER BY id";
  must(connection->execute_script("INSERT INTO parents VALUES (2, 'ann')"));
  {
    auto rows = must(connection->prepare(sql));
    ASSERT_TRUE(must(rows.bind(":from", 2).step()));
  }
  auto again = must(connection->prepare(sql));
  EXPECT_FALSE(again.step()) << ":from is not bound any more";
  auto third = must(connection->prepare(sql));
  ASSERT_TRUE(must(third.bind(":from", 1).step()));
  EXPECT_EQ(third.integer(0), 1);
}

TEST_F(Database, one_text_may_be_borrowed_twice_at_a_time) {
  must(connection->execute_script("INSERT INTO parents VALUES (2, 'ann')"));
  auto outer = must(connection->prepare("SELECT id FROM parents ORDER BY id"));
  ASSERT_TRUE(must(outer.step()));
  auto inner = must(connection->prepare("SELECT id FROM parents ORDER BY id"));
  ASSERT_TRUE(must(inner.step()));
  ASSERT_TRUE(must(inner.step()));
  EXPECT_EQ(inner.integer(0), 2);
  EXPECT_EQ(outer.integer(0), 1);
}

TEST_F(Database, a_text_is_prepared_once) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(number("SELECT count(*) FROM parents"), 1);
  const auto texts = connection->prepared();
  EXPECT_EQ(std::ranges::count(texts, "SELECT count(*) FROM parents"), 1);
}

TEST_F(Database, two_statements_in_one_text_are_refused) {
  EXPECT_FALSE(connection->prepare("DELETE FROM parents; DELETE FROM children"));
  EXPECT_FALSE(connection->prepare(" -- nothing "));
  EXPECT_EQ(number("SELECT count(*) FROM parents"), 1);
}

TEST_F(Database, a_double_quoted_slip_is_an_error_and_not_a_string) {
  EXPECT_FALSE(connection->prepare("SELECT \"nmae\" FROM parents"));
}

TEST_F(Database, a_transaction_without_commit_leaves_nothing) {
  {
    auto transaction = must(Transaction::begin(*connection, Transaction::Kind::write));
    must(run("DELETE FROM parents"));
    EXPECT_TRUE(connection->in_transaction());
  }
  EXPECT_FALSE(connection->in_transaction());
  EXPECT_EQ(number("SELECT count(*) FROM parents"), 1);
}

TEST_F(Database, nothing_is_done_in_a_transaction_after_an_error) {
  {
    auto transaction = must(Transaction::begin(*connection, Transaction::Kind::write));
    auto prepared_before = must(connection->prepare("INSERT INTO parents VALUES (4, 'joe')"));
    must(run("INSERT INTO parents VALUES (2, 'ann')"));
    refused("INSERT INTO parents VALUES (3, 'eve')");
    EXPECT_FALSE(run("INSERT INTO parents VALUES (3, 'bob')"));
    EXPECT_FALSE(prepared_before.run());
    EXPECT_FALSE(connection->execute_script("INSERT INTO parents VALUES (5, 'kim')"));
    EXPECT_FALSE(transaction.commit());
  }
  EXPECT_EQ(number("SELECT count(*) FROM parents"), 1);
  EXPECT_TRUE(run("INSERT INTO parents VALUES (3, 'bob')"));
}

TEST_F(Database, a_bad_bind_fails_its_transaction_too) {
  {
    auto transaction = must(Transaction::begin(*connection, Transaction::Kind::write));
    auto insert = must(connection->prepare("INSERT INTO parents VALUES (2, :name)"));
    EXPECT_FALSE(insert.bind(":name", std::string_view("\0", 1)).run());
    EXPECT_FALSE(transaction.commit());
  }
  EXPECT_EQ(number("SELECT count(*) FROM parents"), 1);
}

TEST_F(Database, a_commit_that_fails_leaves_nothing) {
  must(connection->execute_script(
      "CREATE TABLE late (id INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)"));
  {
    auto transaction = must(Transaction::begin(*connection, Transaction::Kind::write));
    must(run("INSERT INTO late VALUES (99)"));
    const auto committed = transaction.commit();
    ASSERT_FALSE(committed);
    EXPECT_EQ(committed.error().kind, Kind::foreign_key);
  }
  EXPECT_FALSE(connection->in_transaction());
  EXPECT_EQ(number("SELECT count(*) FROM late"), 0);
}

TEST_F(Database, an_error_outside_of_a_transaction_hinders_nothing) {
  refused("INSERT INTO parents VALUES (3, 'eve')");
  EXPECT_TRUE(run("INSERT INTO parents VALUES (3, 'bob')"));
}

TEST(DatabaseErrors, each_kind_has_its_errno) {
  const auto errno_of = [](Kind kind) { return holdfast::Error(Error{kind, "it", ""}).code; };
  EXPECT_EQ(errno_of(Kind::unique), EEXIST);
  EXPECT_EQ(errno_of(Kind::foreign_key), EBUSY);
  EXPECT_EQ(errno_of(Kind::not_null), EINVAL);
  EXPECT_EQ(errno_of(Kind::check), EINVAL);
  EXPECT_EQ(errno_of(Kind::retry), EAGAIN);
  EXPECT_EQ(errno_of(Kind::full), ENOSPC);
  EXPECT_EQ(errno_of(Kind::lost), EIO);
}

}  // namespace
}  // namespace holdfast::db
