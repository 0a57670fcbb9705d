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

TEST_F(Database, IsDurableAndPrivateAndKeepsForeignKeys) {
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

TEST_F(Database, EveryBrokenConstraintHasItsKindAndName) {
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

TEST_F(Database, ARowThatIsReferredToIsAForeignKeyErrorHoweverItIsGuarded) {
  ASSERT_TRUE(run("INSERT INTO children (parent_id) VALUES (1)"));
  EXPECT_EQ(refused("DELETE FROM parents").kind, Kind::foreign_key);
  ASSERT_TRUE(run("UPDATE children SET parent_id = NULL, strict_parent_id = 1"));
  EXPECT_EQ(refused("DELETE FROM parents").kind, Kind::foreign_key);
}

TEST_F(Database, ALockHeldByAnotherIsRetryAndNothingOfItStays) {
  const auto other = must(Connection::open(path, Mode::read_write));
  must(connection->execute_script("PRAGMA busy_timeout = 0"));
  auto theirs = must(Transaction::begin(*other, Transaction::Kind::write));
  const auto ours = Transaction::begin(*connection, Transaction::Kind::write);
  ASSERT_FALSE(ours);
  EXPECT_EQ(ours.error().kind, Kind::retry);
  must(theirs.commit());
  EXPECT_TRUE(Transaction::begin(*connection, Transaction::Kind::write));
}

TEST_F(Database, AFullDatabaseIsFullAndNothingMoreIsDoneInItsTransaction) {
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

TEST_F(Database, AFileThatIsNoDatabaseIsLost) {
  const std::string other = directory / "other";
  std::ofstream(other) << std::string(4096, 'x');
  const auto opened = Connection::open(other, Mode::read_write);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, Kind::lost);
  EXPECT_EQ(holdfast::Error(opened.error()).code, EIO);
}

TEST_F(Database, AReadOnlyConnectionReadsButDoesNotWrite) {
  connection = must(Connection::open(path, Mode::read_only));
  EXPECT_EQ(number("SELECT count(*) FROM parents"), 1);
  EXPECT_FALSE(run("DELETE FROM parents"));
}

TEST_F(Database, ValuesComeBackAsTheyWere) {
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

TEST_F(Database, ANameThatTheStatementDoesNotHaveIsRefused) {
  auto insert = must(connection->prepare("INSERT INTO parents VALUES (:id, :name)"));
  const auto done = insert.bind(":id", 2).bind(":nmae", "ann").bind(":name", "ann").run();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, Kind::check);
  EXPECT_THAT(done.error().message, HasSubstr(":nmae"));
}

TEST_F(Database, AParameterThatNobodyBoundIsRefused) {
  auto insert = must(connection->prepare("INSERT INTO parents VALUES (:id, :name)"));
  const auto done = insert.bind(":id", 2).run();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, Kind::check);
  EXPECT_THAT(done.error().message, HasSubstr(":name"));
}

TEST_F(Database, TextWithANulIsRefused) {
  auto insert = must(connection->prepare("INSERT INTO parents VALUES (:id, :name)"));
  const auto done = insert.bind(":id", 2).bind(":name", std::string_view("a\0b", 3)).run();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, Kind::check);
  EXPECT_EQ(number("SELECT count(*) FROM parents"), 1);
}

TEST_F(Database, ReturningIsSteppedToItsEnd) {
  must(connection->execute_script("INSERT INTO parents VALUES (2, 'ann'), (3, 'bob')"));
  must(run("DELETE FROM parents RETURNING id"));
  EXPECT_EQ(connection->changes(), 3);
  EXPECT_EQ(number("SELECT count(*) FROM parents"), 0);
}

TEST_F(Database, AStatementMayBeRunAgainWithOtherValues) {
  auto insert = must(connection->prepare("INSERT INTO parents VALUES (:id, :name)"));
  for (int id = 2; id < 10; ++id) must(insert.bind(":id", id).bind(":name", std::to_string(id)).run());
  EXPECT_EQ(number("SELECT count(*) FROM parents"), 9);
}

// SQLite compiles it anew, and its names of the parameters are then others.
TEST_F(Database, AStatementIsBoundAgainAfterTheSchemaHasChanged) {
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

TEST_F(Database, AStatementGivenBackHalfReadBeginsAnewWithNothingBound) {
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

TEST_F(Database, OneTextMayBeBorrowedTwiceAtATime) {
  must(connection->execute_script("INSERT INTO parents VALUES (2, 'ann')"));
  auto outer = must(connection->prepare("SELECT id FROM parents ORDER BY id"));
  ASSERT_TRUE(must(outer.step()));
  auto inner = must(connection->prepare("SELECT id FROM parents ORDER BY id"));
  ASSERT_TRUE(must(inner.step()));
  ASSERT_TRUE(must(inner.step()));
  EXPECT_EQ(inner.integer(0), 2);
  EXPECT_EQ(outer.integer(0), 1);
}

TEST_F(Database, ATextIsPreparedOnce) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(number("SELECT count(*) FROM parents"), 1);
  const auto texts = connection->prepared();
  EXPECT_EQ(std::ranges::count(texts, "SELECT count(*) FROM parents"), 1);
}

TEST_F(Database, TwoStatementsInOneTextAreRefused) {
  EXPECT_FALSE(connection->prepare("DELETE FROM parents; DELETE FROM children"));
  EXPECT_FALSE(connection->prepare(" -- nothing "));
  EXPECT_EQ(number("SELECT count(*) FROM parents"), 1);
}

TEST_F(Database, ADoubleQuotedSlipIsAnErrorAndNotAString) {
  EXPECT_FALSE(connection->prepare("SELECT \"nmae\" FROM parents"));
}

TEST_F(Database, ATransactionWithoutCommitLeavesNothing) {
  {
    auto transaction = must(Transaction::begin(*connection, Transaction::Kind::write));
    must(run("DELETE FROM parents"));
    EXPECT_TRUE(connection->in_transaction());
  }
  EXPECT_FALSE(connection->in_transaction());
  EXPECT_EQ(number("SELECT count(*) FROM parents"), 1);
}

TEST_F(Database, NothingIsDoneInATransactionAfterAnError) {
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

TEST_F(Database, ABadBindFailsItsTransactionToo) {
  {
    auto transaction = must(Transaction::begin(*connection, Transaction::Kind::write));
    auto insert = must(connection->prepare("INSERT INTO parents VALUES (2, :name)"));
    EXPECT_FALSE(insert.bind(":name", std::string_view("\0", 1)).run());
    EXPECT_FALSE(transaction.commit());
  }
  EXPECT_EQ(number("SELECT count(*) FROM parents"), 1);
}

TEST_F(Database, ACommitThatFailsLeavesNothing) {
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

TEST_F(Database, AnErrorOutsideOfATransactionHindersNothing) {
  refused("INSERT INTO parents VALUES (3, 'eve')");
  EXPECT_TRUE(run("INSERT INTO parents VALUES (3, 'bob')"));
}

TEST(DatabaseErrors, EachKindHasItsErrno) {
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
