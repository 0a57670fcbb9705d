// Implementation of the classes of connection.h over SQLite. Included by this folder only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "catalog/db/connection.h"

struct sqlite3;
struct sqlite3_stmt;

namespace holdfast::db {

// A statement as SQLite has prepared it, and what makes binding by name quick: SQLite would compare a name
// with those of all parameters, while the same code binds the same ones in the same order each time.
struct Prepared {
  explicit Prepared(sqlite3_stmt* compiled);
  Prepared(const Prepared&) = delete;
  ~Prepared();

  int number_of(const char* name);  // 0: it has no such parameter
  void reset();                     // as it was before it was bound and stepped

  sqlite3_stmt* handle;
  // By number, from 1. Copies: SQLite's own go when it compiles the text anew after a change of the schema.
  std::vector<std::string> names;
  std::vector<bool> bound;  // by number, from 1
  std::vector<int> order;   // numbers of the parameters, as last looked up
  std::size_t asked = 0;    // since the last reset
};

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
  using Shelf = std::vector<std::unique_ptr<Prepared>>;
  std::unordered_map<std::string, Shelf, TextHash, std::equal_to<>> idle;
  // State as our Transaction sees it: some errors make SQLite roll back by itself, and what came then would
  // be committed statement by statement.
  enum class Open { no, yes, failed } transaction = Open::no;
};

struct Statement::State {
  State(Connection::State& lender, Connection::State::Shelf& shelf, std::unique_ptr<Prepared> borrowed);
  State(const State&) = delete;
  ~State();

  Connection::State& connection;
  Connection::State::Shelf& home;  // where it goes back to
  std::unique_ptr<Prepared> prepared;
  sqlite3_stmt* const handle;
  std::optional<Error> bind_error;
  bool started = false;
  bool done = false;
};

}  // namespace holdfast::db
