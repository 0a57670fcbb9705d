#include <sqlite3.h>

#include <algorithm>

#include "catalog/db/connection.h"
#include "catalog/db/sqlite/state.h"

namespace holdfast::db {
namespace {

Error check(std::string message) { return {Kind::check, std::move(message), ""}; }

}  // namespace

Prepared::Prepared(sqlite3_stmt* compiled) : handle(compiled) {
  const int parameters = sqlite3_bind_parameter_count(compiled);
  for (int number = 0; number <= parameters; ++number)
    names.emplace_back(number == 0 ? "" : sqlite3_bind_parameter_name(compiled, number));
  bound.resize(names.size());
}

Prepared::~Prepared() { sqlite3_finalize(handle); }

int Prepared::number_of(const char* name) {
  const std::size_t turn = asked++;
  if (turn < order.size() && names[static_cast<std::size_t>(order[turn])] == name) return order[turn];
  const int number = sqlite3_bind_parameter_index(handle, name);
  if (number == 0) return 0;
  if (turn < order.size())
    order[turn] = number;
  else if (turn == order.size())
    order.push_back(number);
  return number;
}

void Prepared::reset() {
  sqlite3_reset(handle);
  sqlite3_clear_bindings(handle);
  bound.assign(bound.size(), false);
  asked = 0;
}

Statement::State::State(Connection::State& lender, Connection::State::Shelf& shelf,
                        std::unique_ptr<Prepared> borrowed)
    : connection(lender), home(shelf), prepared(std::move(borrowed)), handle(prepared->handle) {}

Statement::State::~State() {
  prepared->reset();
  home.push_back(std::move(prepared));
}

Statement::Statement(std::unique_ptr<State> state) : state_(std::move(state)) {}
Statement::Statement(Statement&&) noexcept = default;
Statement& Statement::operator=(Statement&&) noexcept = default;
Statement::~Statement() = default;

namespace {

// Finds the parameter and lets `put` bind it by its number; keeps the first thing that went wrong.
template <class State, class Put>
void bind_parameter(State& state, const char* name, Put put) {
  if (state.bind_error) return;
  const int number = state.prepared->number_of(name);
  if (number == 0) {
    state.bind_error = check(fmt::format("no parameter {} in: {}", name, sqlite3_sql(state.handle)));
    return;
  }
  if (put(number) != SQLITE_OK) {
    state.bind_error = state.connection.failure(sqlite3_sql(state.handle));
    return;
  }
  state.prepared->bound[static_cast<std::size_t>(number)] = true;
}

}  // namespace

Statement& Statement::bind(const char* name, std::int64_t value) {
  bind_parameter(*state_, name, [&](int n) { return sqlite3_bind_int64(state_->handle, n, value); });
  return *this;
}

Statement& Statement::bind(const char* name, std::string_view text) {
  if (!state_->bind_error && text.find('\0') != std::string_view::npos)
    state_->bind_error = check(fmt::format("the text for {} has a NUL in it", name));
  bind_parameter(*state_, name, [&](int n) {
    return sqlite3_bind_text64(state_->handle, n, text.data() == nullptr ? "" : text.data(), text.size(),
                               SQLITE_TRANSIENT, SQLITE_UTF8);
  });
  return *this;
}

Statement& Statement::bind(const char* name, ByteView blob) {
  bind_parameter(*state_, name, [&](int n) {
    // A null pointer would bind NULL, an empty blob is something else.
    return blob.empty() ? sqlite3_bind_zeroblob(state_->handle, n, 0)
                        : sqlite3_bind_blob64(state_->handle, n, blob.data(), blob.size(), SQLITE_TRANSIENT);
  });
  return *this;
}

Statement& Statement::bind_null(const char* name) {
  bind_parameter(*state_, name, [&](int n) { return sqlite3_bind_null(state_->handle, n); });
  return *this;
}

Result<bool> Statement::step() {
  State& state = *state_;
  const auto refuse = [&state](Error error) {
    state.connection.fail_transaction();
    return tl::unexpected<Error>(std::move(error));
  };
  if (state.connection.transaction == Connection::State::Open::failed)
    return refuse({Kind::lost, "nothing more is done in a transaction that has failed", ""});
  if (state.bind_error) return refuse(*state.bind_error);
  if (state.done) return false;
  if (!state.started) {
    const auto& bound = state.prepared->bound;
    const auto missing = std::find(bound.begin() + 1, bound.end(), false);
    if (missing != bound.end())
      return refuse(check(fmt::format(
          "{} was not bound in: {}", state.prepared->names[static_cast<std::size_t>(missing - bound.begin())],
          sqlite3_sql(state.handle))));
    state.started = true;
  }
  switch (sqlite3_step(state.handle)) {
    case SQLITE_ROW: return true;
    case SQLITE_DONE: state.done = true; return false;
    default: return tl::unexpected<Error>(state.connection.failure(sqlite3_sql(state.handle)));
  }
}

Result<> Statement::run() {
  for (;;) {
    HF_TRY(const bool row, step());
    if (!row) break;
  }
  sqlite3_reset(state_->handle);
  state_->prepared->asked = 0;
  state_->started = state_->done = false;
  return {};
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(state_->handle, column) == SQLITE_NULL;
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(state_->handle, column); }

std::string Statement::text(int column) const {
  const void* const bytes = sqlite3_column_text(state_->handle, column);
  if (bytes == nullptr) return "";
  return {static_cast<const char*>(bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(state_->handle, column))};
}

Bytes Statement::blob(int column) const {
  const auto* const bytes = static_cast<const std::byte*>(sqlite3_column_blob(state_->handle, column));
  if (bytes == nullptr) return {};
  return {bytes, bytes + sqlite3_column_bytes(state_->handle, column)};
}

}  // namespace holdfast::db
