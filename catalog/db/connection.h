// The seam to the SQL database, with SQLite behind it. Code above uses no sqlite3 symbol and no PRAGMA, so a
// second engine is another implementation of these classes and another folder of DDL.
//
// A Connection and its Statements belong to one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/base/bytes.h"
#include "catalog/db/error.h"

namespace holdfast::db {

class Connection;

// One prepared statement, borrowed from its connection's cache and given back, reset, when it goes.
// Parameters are bound by name (":name"), columns are read by number. The first failure of a bind is
// kept and returned by the next step, so that binds can be chained; a name that the statement does not
// have, and a parameter that nobody bound, are such failures (`check`). It may not outlive its connection.
class Statement {
 public:
  Statement(Statement&&) noexcept;
  Statement& operator=(Statement&&) noexcept;
  ~Statement();

  Statement& bind(const char* name, std::int64_t value);
  Statement& bind(const char* name, std::string_view text);  // no NUL inside: refused as `check`
  Statement& bind(const char* name, ByteView blob);
  Statement& bind_null(const char* name);
  template <class T>
  Statement& bind(const char* name, const std::optional<T>& value) {
    return value ? bind(name, *value) : bind_null(name);
  }

  // True: a row is there. False: done.
  Result<bool> step();
  // For statements without rows, and for RETURNING whose rows are not wanted: stepped to its end, then
  // ready to be bound and run again.
  Result<> run();

  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  std::string text(int column) const;  // "" for NULL
  Bytes blob(int column) const;

 private:
  friend class Connection;
  struct State;
  explicit Statement(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

enum class Mode { read_write, read_only };

// A row that refers to a row that is not there.
struct BrokenReference {
  std::string table;
  std::optional<std::int64_t> row;  // absent: the table has no row numbers
  std::string parent;               // the table that lacks the row
};

class Connection {
 public:
  // WAL, synchronous FULL, foreign keys on. Creates the file when it is missing (read_write only).
  static Result<std::unique_ptr<Connection>> open(const std::string& path, Mode mode);
  ~Connection();
  Connection(const Connection&) = delete;

  Result<Statement> prepare(std::string_view sql);
  // Several statements without parameters (migrations).
  Result<> execute_script(std::string_view sql);
  // Copies the whole database as it is now to `path`, a new or overwritten file, durably.
  Result<> back_up(const std::string& path);
  // Enforces foreign keys from now on, or no more. Called outside of transactions.
  Result<> enforce_references(bool on);
  Result<std::vector<BrokenReference>> broken_references();
  // Reads the whole file: a sentence for each damaged page or index.
  Result<std::vector<std::string>> damage();
  std::int64_t changes() const;  // rows that the last statement changed
  bool in_transaction() const;

  // The text of every statement prepared so far, for the test that reads every query plan.
  std::vector<std::string> prepared() const;

 private:
  friend class Statement;
  friend class Transaction;
  struct State;
  explicit Connection(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Begun when made, rolled back when it goes without commit(). After the first error inside of it every
// further statement, and the commit, is refused: nothing is built upon what did not happen.
class Transaction {
 public:
  enum class Kind { read, write };
  static Result<Transaction> begin(Connection& connection, Kind kind);
  Transaction(Transaction&&) noexcept;
  ~Transaction();
  Result<> commit();

 private:
  explicit Transaction(Connection* connection) : connection_(connection) {}
  Connection* connection_;
};

}  // namespace holdfast::db
