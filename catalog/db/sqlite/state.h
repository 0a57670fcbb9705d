// What the classes of connection.h are made of over SQLite. Included by this folder only.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "catalog/db/connection.h"

struct sqlite3;
struct sqlite3_stmt;

namespace holdfast::db {

struct Connection::State {
  explicit State(sqlite3* opened) : handle(opened) {}
  State(const State&) = delete;
  ~State();

  // The error that SQLite has just reported here. Inside a transaction it is the last word on it.
  Error failure(std::string_view doing);
  // Ends what may be done in the open transaction, if there is one.
  void fail_transaction() { transaction = transaction == Open::no ? Open::no : Open::failed; }

  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  sqlite3* handle;
  // Prepared statements that nobody has borrowed, by their text. A program has a fixed set of texts, so
  // nothing is ever thrown out; one text has several statements once it was borrowed twice at a time.
  using Shelf = std::vector<sqlite3_stmt*>;
  std::unordered_map<std::string, Shelf, TextHash, std::equal_to<>> idle;
  // As our Transaction sees it: some errors make SQLite roll back by itself, and what came then would
  // be committed statement by statement.
  enum class Open { no, yes, failed } transaction = Open::no;
};

struct Statement::State {
  State(Connection::State& lender, Connection::State::Shelf& shelf, sqlite3_stmt* borrowed);
  State(const State&) = delete;
  ~State();

  Connection::State& connection;
  Connection::State::Shelf& home;  // where it goes back to
  sqlite3_stmt* handle;
  std::optional<Error> bind_error;
  std::vector<bool> bound;  // by parameter, from 0
  bool started = false;
  bool done = false;
};

}  // namespace holdfast::db
