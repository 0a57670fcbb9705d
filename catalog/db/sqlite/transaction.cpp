#include <sqlite3.h>

#include <utility>

#include "catalog/db/connection.h"
#include "catalog/db/sqlite/state.h"

namespace holdfast::db {

// A write transaction takes its lock at once: one that first reads and then finds another writer before
// it would have to be run again.
Result<Transaction> Transaction::begin(Connection& connection, Kind kind) {
  HF_CHECK(connection.execute_script(kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN"));
  connection.state_->transaction = Connection::State::Open::yes;
  return Transaction{&connection};
}

Transaction::Transaction(Transaction&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)) {}

Transaction::~Transaction() {
  if (connection_ == nullptr) return;
  Connection::State& state = *connection_->state_;
  // Some errors have rolled it back already. If this fails, the connection is still in a transaction and
  // its owner sees that.
  if (connection_->in_transaction()) sqlite3_exec(state.handle, "ROLLBACK", nullptr, nullptr, nullptr);
  state.transaction = Connection::State::Open::no;
}

Result<> Transaction::commit() {
  HF_CHECK(connection_->execute_script("COMMIT"));
  std::exchange(connection_, nullptr)->state_->transaction = Connection::State::Open::no;
  return {};
}

}  // namespace holdfast::db
