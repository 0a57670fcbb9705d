#include <sqlite3.h>

#include "catalog/db/sqlite/state.h"

namespace holdfast::db {
namespace {

Kind kind_of(int extended_code) {
  switch (extended_code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID: return Kind::unique;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
    case SQLITE_CONSTRAINT_TRIGGER: return Kind::foreign_key;  // how ON DELETE RESTRICT is reported
    case SQLITE_CONSTRAINT_NOTNULL: return Kind::not_null;
    default: break;
  }
  switch (extended_code & 0xff) {
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
    case SQLITE_RANGE: return Kind::check;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Kind::retry;
    case SQLITE_FULL: return Kind::full;
    default: return Kind::lost;
  }
}

// "UNIQUE constraint failed: flows.name" → "flows.name"
std::string constraint_in(std::string_view message) {
  constexpr std::string_view kBefore = "constraint failed: ";
  const auto at = message.find(kBefore);
  return at == std::string_view::npos ? "" : std::string{message.substr(at + kBefore.size())};
}

}  // namespace

Error Connection::State::failure(std::string_view doing) {
  Error error;
  error.kind = kind_of(sqlite3_extended_errcode(handle));
  const std::string_view said = sqlite3_errmsg(handle);
  error.constraint = constraint_in(said);
  error.message = error.kind == Kind::lost ? fmt::format("{} (doing: {})", said, doing) : std::string{said};
  fail_transaction();
  return error;
}

}  // namespace holdfast::db
