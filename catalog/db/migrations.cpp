#include "catalog/db/migrations.h"

#include "catalog/base/clock.h"
#include "catalog/base/sha256.h"

namespace holdfast::db {
namespace {

struct Applied {
  int version = 0;
  std::string name;
  std::string checksum;
};

std::string file_of(int version, std::string_view name) {
  return fmt::format("{:04}_{}.up.sql", version, name);
}

std::string checksum_of(const Migration& migration) { return sha256_hex(as_bytes(migration.up)); }

holdfast::Result<> create_record(Connection& connection) {
  HF_CHECK(connection.execute_script(R"sql(
    CREATE TABLE IF NOT EXISTS schema_migrations (
      version INTEGER NOT NULL PRIMARY KEY,
      name TEXT NOT NULL,
      checksum TEXT NOT NULL,
      applied_at INTEGER NOT NULL
    ) STRICT)sql"));
  return {};
}

holdfast::Result<std::vector<Applied>> read_record(Connection& connection) {
  HF_TRY(auto rows,
         connection.prepare("SELECT version, name, checksum FROM schema_migrations ORDER BY version"));
  std::vector<Applied> applied;
  for (;;) {
    HF_TRY(const bool row, rows.step());
    if (!row) return applied;
    applied.push_back({static_cast<int>(rows.integer(0)), rows.text(1), rows.text(2)});
  }
}

holdfast::Result<> check_known(std::span<const Migration> known) {
  for (std::size_t i = 0; i < known.size(); ++i)
    if (known[i].version != static_cast<int>(i + 1))
      return fail(EINVAL, "migration {} stands where {:04} is due; the numbers go from 1 without a gap",
                  file_of(known[i].version, known[i].name), i + 1);
  return {};
}

holdfast::Result<> check_applied(const std::vector<Applied>& applied, std::span<const Migration> known) {
  if (!applied.empty() && applied.back().version > static_cast<int>(known.size()))
    return fail(EINVAL,
                "the catalog is at schema version {}, this program knows none newer than {}; run the newer "
                "Holdfast that it belongs to",
                applied.back().version, known.size());
  for (std::size_t i = 0; i < applied.size(); ++i) {
    const Applied& had = applied[i];
    if (had.version != static_cast<int>(i + 1))
      return fail(EINVAL,
                  "the catalog has had migration {} but not {}; its record is damaged, restore the catalog "
                  "from a copy",
                  file_of(had.version, had.name), file_of(static_cast<int>(i + 1), known[i].name));
    if (had.name != known[i].name || had.checksum != checksum_of(known[i]))
      return fail(EINVAL,
                  "migration {} was changed after it had been applied to this catalog (as {}, SHA-256 {}); "
                  "restore that file as it was and put the change into a new migration",
                  file_of(known[i].version, known[i].name), file_of(had.version, had.name), had.checksum);
  }
  return {};
}

holdfast::Result<> check_references(Connection& connection) {
  HF_TRY(const auto broken, connection.broken_references());
  if (!broken.empty())
    return fail(EINVAL, "it leaves row {} of {} referring to a row of {} that is not there",
                broken.front().row.value_or(0), broken.front().table, broken.front().parent);
  return {};
}

enum class Direction { up, down };

holdfast::Result<> record(Connection& connection, const Migration& migration, Direction direction) {
  if (direction == Direction::down) {
    HF_TRY(auto gone, connection.prepare("DELETE FROM schema_migrations WHERE version = :version"));
    HF_CHECK(gone.bind(":version", migration.version).run());
    return {};
  }
  HF_TRY(auto done, connection.prepare(R"sql(
    INSERT INTO schema_migrations (version, name, checksum, applied_at)
    VALUES (:version, :name, :checksum, :applied_at))sql"));
  HF_CHECK(done.bind(":version", migration.version)
               .bind(":name", migration.name)
               .bind(":checksum", checksum_of(migration))
               .bind(":applied_at", system_clock().now().time_since_epoch().count())
               .run());
  return {};
}

holdfast::Result<> take_step(Connection& connection, const Migration& migration, Direction direction) {
  HF_TRY(auto transaction, Transaction::begin(connection, Transaction::Kind::write));
  HF_CHECK(connection.execute_script(direction == Direction::up ? migration.up : migration.down));
  if (!connection.in_transaction())
    return fail(EINVAL, "it ends the transaction that it is applied in; leave BEGIN and COMMIT out of it");
  HF_CHECK(check_references(connection));
  HF_CHECK(record(connection, migration, direction));
  HF_CHECK(transaction.commit());
  return {};
}

// Applies one step with foreign keys off, and switches them on again whether or not it fails.
holdfast::Result<> apply(Connection& connection, const Migration& migration, Direction direction) {
  HF_CHECK(connection.enforce_references(false));
  const auto outcome = take_step(connection, migration, direction);
  HF_CHECK(connection.enforce_references(true));
  if (!outcome)
    return within(outcome.error(), "migration {:04}_{} {}", migration.version, migration.name,
                  direction == Direction::up ? "up" : "down");
  return {};
}

}  // namespace

holdfast::Result<int> schema_version(Connection& connection) {
  HF_TRY(auto table,
         connection.prepare(
             "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'"));
  HF_TRY(const bool counted, table.step());
  if (!counted || table.integer(0) == 0) return 0;
  HF_TRY(const auto applied, read_record(connection));
  return applied.empty() ? 0 : applied.back().version;
}

holdfast::Result<> check_migrations(Connection& connection, std::span<const Migration> known) {
  HF_TRY(const int version, schema_version(connection));
  if (version == 0) return {};
  HF_TRY(const auto applied, read_record(connection));
  return check_applied(applied, known);
}

holdfast::Result<> migrate(Connection& connection, std::span<const Migration> known, int target) {
  if (connection.in_transaction()) return fail(EINVAL, "migrations bring their own transactions");
  HF_CHECK(check_known(known));
  if (target < 0 || target > static_cast<int>(known.size()))
    return fail(EINVAL, "there is no schema version {}; this program knows 0 to {}", target, known.size());
  HF_CHECK(create_record(connection));
  HF_TRY(const auto applied, read_record(connection));
  HF_CHECK(check_applied(applied, known));
  int version = static_cast<int>(applied.size());
  for (; version < target; ++version)
    HF_CHECK(apply(connection, known[static_cast<std::size_t>(version)], Direction::up));
  for (; version > target; --version)
    HF_CHECK(apply(connection, known[static_cast<std::size_t>(version - 1)], Direction::down));
  return {};
}

}  // namespace holdfast::db
