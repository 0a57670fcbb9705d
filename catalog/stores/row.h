// Conversion between rows and values: reads the columns of a row in order, and gives values the form in which
// they are bound. For the stores alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "catalog/base/clock.h"
#include "catalog/base/id.h"
#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Row(statement) >> id >> name >> started_at; the type of each target says how its column is read.
// NULL reads as an absent optional, "" or 0.
class Row {
 public:
  explicit Row(const db::Statement& statement) : statement_(statement) {}

  template <class T>
  Row& operator>>(T& value) {
    take(value, column_++);
    return *this;
  }

  // Reads three columns: uid, gid and pid.
  Row& operator>>(std::optional<Caller>& caller) {
    caller.reset();
    if (!statement_.is_null(column_)) return *this >> caller.emplace().uid >> caller->gid >> caller->pid;
    column_ += 3;
    return *this;
  }

  // Returns an error if a column had a word that its enumeration lacks (law 18 prevents it).
  Result<> check() const {
    if (unknown_.empty()) return {};
    return fail(EIO, "the catalog has a value '{}' that this program does not know", unknown_);
  }

 private:
  template <class T>
  void take(T& value, int column) {
    if constexpr (std::is_same_v<T, std::string>) {
      value = statement_.text(column);
    } else if constexpr (std::is_same_v<T, Time>) {
      value = Time{std::chrono::milliseconds{statement_.integer(column)}};
    } else if constexpr (std::is_enum_v<T>) {
      const std::string word = statement_.text(column);
      const std::optional<T> known = from_word<T>(word);
      if (!known) unknown_ = word;
      value = known.value_or(T{});
    } else {
      value = static_cast<T>(statement_.integer(column));
    }
  }

  template <class T>
  void take(std::optional<T>& value, int column) {
    value.reset();
    if (!statement_.is_null(column)) take(value.emplace(), column);
  }

  const db::Statement& statement_;
  int column_ = 0;
  std::string unknown_;
};

// Binds an absent text as NULL.
inline std::optional<std::string_view> or_null(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional{text};
}

template <class E>
std::optional<std::string_view> word_or_null(const std::optional<E>& value) {
  return value ? std::optional{to_word(*value)} : std::nullopt;
}

inline std::int64_t milliseconds(Time time) { return time.time_since_epoch().count(); }

inline std::optional<std::int64_t> milliseconds(const std::optional<Time>& time) {
  return time ? std::optional{milliseconds(*time)} : std::nullopt;
}

inline db::Statement& bind_caller(db::Statement& statement, const std::optional<Caller>& caller) {
  using Number = std::optional<std::int64_t>;
  return statement.bind(":uid", caller ? Number(caller->uid) : Number())
      .bind(":gid", caller ? Number(caller->gid) : Number())
      .bind(":pid", caller ? Number(caller->pid) : Number());
}

// Values bound as whole numbers.
inline std::int64_t number(std::chrono::seconds span) { return span.count(); }
inline std::int64_t number(std::uint64_t value) { return static_cast<std::int64_t>(value); }
template <class T>
std::optional<std::int64_t> number(const std::optional<T>& value) {
  return value ? std::optional{number(*value)} : std::nullopt;
}

// Forms that most queries have. `bound` is ready to step; `read` turns its row into a Result.

template <class Read>
auto all_rows(db::Statement& bound, Read read)
    -> Result<std::vector<typename std::invoke_result_t<Read, db::Statement&>::value_type>> {
  std::vector<typename std::invoke_result_t<Read, db::Statement&>::value_type> rows;
  for (;;) {
    HF_TRY(const bool row, bound.step());
    if (!row) return rows;
    HF_TRY(auto value, read(bound));
    rows.push_back(std::move(value));
  }
}

template <class Read>
auto first_row(db::Statement& bound, Read read)
    -> Result<std::optional<typename std::invoke_result_t<Read, db::Statement&>::value_type>> {
  HF_TRY(const bool row, bound.step());
  if (!row) return std::nullopt;
  HF_TRY(auto value, read(bound));
  return std::optional{std::move(value)};
}

// Returns the row of a statement that changes at most one; steps it to its end, because only then it is done.
template <class Read>
auto returned_row(db::Statement& bound, Read read)
    -> Result<std::optional<typename std::invoke_result_t<Read, db::Statement&>::value_type>> {
  HF_TRY(auto rows, all_rows(bound, read));
  if (rows.empty()) return std::nullopt;
  return std::optional{std::move(rows.front())};
}

inline Result<Id> read_id(db::Statement& row) { return row.integer(0); }
inline Result<std::string> read_text(db::Statement& row) { return row.text(0); }
inline Result<Ownership> read_ownership(db::Statement& row) {
  Ownership ownership;
  Row(row) >> ownership.uid >> ownership.gid >> ownership.mode;
  return ownership;
}
inline Result<Named> read_named(db::Statement& row) { return Named{row.integer(0), row.text(1)}; }

}  // namespace holdfast
