#include "catalog/db/connection.h"

#include <fcntl.h>
#include <sqlite3.h>

#include "catalog/base/fd.h"
#include "catalog/db/sqlite/state.h"

namespace holdfast::db {
namespace {

// Only other programs can make us wait this long: within the daemon, writers queue (catalog.cpp).
constexpr int kBusyMilliseconds = 10'000;

constexpr const char* kFailed = "nothing more is done in a transaction that has failed";

tl::unexpected<Error> lost(std::string message) {
  return tl::unexpected<Error>(Error{Kind::lost, std::move(message), ""});
}

// SQLite would make it readable by everybody; its -wal and -shm files take over the mode of this one.
Result<> create_private(const std::string& path) {
  const Fd fd{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (!fd) return lost(fmt::format("opening {}: {}", path, describe_errno(errno)));
  return {};
}

Result<> configure(Connection& connection, Mode mode) {
  if (mode == Mode::read_write) {
    HF_TRY(Statement journal, connection.prepare("PRAGMA journal_mode = WAL"));
    HF_TRY(const bool answered, journal.step());
    const std::string kept_as = answered ? journal.text(0) : "";
    if (kept_as != "wal")
      return lost(fmt::format("it can't have a write-ahead log, its journal is '{}'", kept_as));
  }
  HF_CHECK(connection.execute_script("PRAGMA synchronous = FULL"));
  return connection.enforce_references(true);
}

}  // namespace

Connection::State::~State() {
  idle.clear();
  sqlite3_close(handle);
}

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path, Mode mode) {
  if (mode == Mode::read_write) HF_CHECK(create_private(path));
  sqlite3* handle = nullptr;
  // One thread at a time uses it, so it needs no mutex of its own.
  const int flags = (mode == Mode::read_write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int opened = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  std::unique_ptr<Connection> connection{new Connection(std::make_unique<State>(handle))};
  if (opened != SQLITE_OK) return lost(fmt::format("opening {}: {}", path, sqlite3_errstr(opened)));

  sqlite3_busy_timeout(handle, kBusyMilliseconds);
  // A misspelt "column" is an error, not a string.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  if (auto done = configure(*connection, mode); !done) {
    done.error().message = fmt::format("opening {}: {}", path, done.error().message);
    return tl::make_unexpected(std::move(done).error());
  }
  return connection;
}

Result<Statement> Connection::prepare(std::string_view sql) {
  if (state_->transaction == State::Open::failed) return lost(kFailed);
  auto shelf = state_->idle.find(sql);
  if (shelf != state_->idle.end() && !shelf->second.empty()) {
    auto prepared = std::move(shelf->second.back());
    shelf->second.pop_back();
    return Statement{std::make_unique<Statement::State>(*state_, shelf->second, std::move(prepared))};
  }
  sqlite3_stmt* statement = nullptr;
  const char* rest = nullptr;
  if (sqlite3_prepare_v3(state_->handle, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                         &statement, &rest) != SQLITE_OK)
    return tl::unexpected<Error>(state_->failure(sql));
  const std::string_view after{rest, static_cast<std::size_t>(sql.data() + sql.size() - rest)};
  if (statement == nullptr || after.find_first_not_of(" \n;") != std::string_view::npos) {
    sqlite3_finalize(statement);
    state_->fail_transaction();
    return lost(fmt::format("not one statement: {}", sql));
  }
  if (shelf == state_->idle.end()) shelf = state_->idle.try_emplace(std::string{sql}).first;
  return Statement{
      std::make_unique<Statement::State>(*state_, shelf->second, std::make_unique<Prepared>(statement))};
}

Result<> Connection::execute_script(std::string_view sql) {
  if (state_->transaction == State::Open::failed) return lost(kFailed);
  const std::string text{sql};
  if (sqlite3_exec(state_->handle, text.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    return tl::unexpected<Error>(state_->failure(text));
  return {};
}

Result<> Connection::back_up(const std::string& path) {
  HF_TRY(const auto target, open(path, Mode::read_write));
  sqlite3* const to = target->state_->handle;
  sqlite3_backup* const backup = sqlite3_backup_init(to, "main", state_->handle, "main");
  if (backup == nullptr) return lost(fmt::format("copying to {}: {}", path, sqlite3_errmsg(to)));
  const int done = sqlite3_backup_step(backup, -1);
  const int ended = sqlite3_backup_finish(backup);
  if (done != SQLITE_DONE || ended != SQLITE_OK)
    return lost(fmt::format("copying to {}: {}", path, sqlite3_errstr(done != SQLITE_DONE ? done : ended)));
  return {};
}

std::int64_t Connection::changes() const { return sqlite3_changes64(state_->handle); }

bool Connection::in_transaction() const { return sqlite3_get_autocommit(state_->handle) == 0; }

std::vector<std::string> Connection::prepared() const {
  std::vector<std::string> texts;
  for (const auto& [text, statements] : state_->idle) texts.push_back(text);
  return texts;
}

}  // namespace holdfast::db
