#include "catalog/stores/boot_checks.h"

#include "catalog/stores/points.h"
#include "catalog/stores/row.h"

namespace holdfast {
namespace {

Result<BootCheck> read_boot_check(db::Statement& statement) {
  BootCheck check;
  std::int64_t took = 0;
  Row row(statement);
  row >> check.point_id >> check.at >> check.result >> check.reason >> check.expect >> check.accelerator >>
      took;
  HF_CHECK(row.check());
  check.took = std::chrono::milliseconds{took};
  return check;
}

db::Result<db::Statement> select_boot_checks(db::Connection& db, std::string_view which) {
  return db.prepare(fmt::format(R"sql(
    SELECT point_id, at, result, reason, expect, accelerator, took FROM boot_checks {})sql",
                                which));
}

}  // namespace

Result<> BootChecks::set(const BootCheck& check, std::string_view screenshot) {
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT OR REPLACE INTO boot_checks
      (point_id, machine_id, at, result, reason, expect, accelerator, took, screenshot)
    SELECT id, machine_id, :at, :result, :reason, :expect, :accelerator, :took, :screenshot
    FROM points WHERE id = :point)sql"));
  HF_CHECK(insert.bind(":point", check.point_id)
               .bind(":at", milliseconds(check.at))
               .bind(":result", to_word(check.result))
               .bind(":reason", or_null(check.reason))
               .bind(":expect", check.expect)
               .bind(":accelerator", to_word(check.accelerator))
               .bind(":took", check.took.count())
               .bind(":screenshot", screenshot.empty() ? std::nullopt : std::optional{as_bytes(screenshot)})
               .run());
  HF_TRY(auto machine, db_.prepare(R"sql(
    UPDATE machines
    SET boot_checked_at = max(:at, coalesce(boot_checked_at, 0)),
        proven_to_boot_at = CASE WHEN :result = 'good' THEN max(:at, coalesce(proven_to_boot_at, 0))
                                 ELSE proven_to_boot_at END
    WHERE id = (SELECT machine_id FROM points WHERE id = :point))sql"));
  HF_CHECK(machine.bind(":at", milliseconds(check.at))
               .bind(":result", to_word(check.result))
               .bind(":point", check.point_id)
               .run());
  return Points(db_).touch(check.point_id);
}

Result<std::optional<BootCheck>> BootChecks::of_point(Id point) {
  HF_TRY(auto found, select_boot_checks(db_, "WHERE point_id = :point"));
  return first_row(found.bind(":point", point), read_boot_check);
}

Result<std::string> BootChecks::screenshot(Id point) {
  HF_TRY(auto found, db_.prepare("SELECT screenshot FROM boot_checks WHERE point_id = :point"));
  const auto read = [](db::Statement& row) -> Result<std::string> {
    const Bytes png = row.blob(0);
    return std::string(reinterpret_cast<const char*>(png.data()), png.size());
  };
  HF_TRY(auto screenshot, first_row(found.bind(":point", point), read));
  return screenshot.value_or("");
}

Result<bool> BootChecks::has_screenshot(Id point) {
  HF_TRY(auto found,
         db_.prepare("SELECT point_id FROM boot_checks WHERE point_id = :point AND screenshot IS NOT NULL"));
  HF_TRY(const auto row, first_row(found.bind(":point", point), read_id));
  return row.has_value();
}

Result<std::optional<BootCheck>> BootChecks::newest_of(Id machine) {
  HF_TRY(auto found, select_boot_checks(db_, R"sql(
    WHERE machine_id = :machine AND (SELECT state FROM points WHERE points.id = point_id) = 'committed'
    ORDER BY at DESC LIMIT 1)sql"));
  return first_row(found.bind(":machine", machine), read_boot_check);
}

Result<BootChecks::Times> BootChecks::times_of(Id machine) {
  HF_TRY(auto found,
         db_.prepare("SELECT boot_checked_at, proven_to_boot_at FROM machines WHERE id = :machine"));
  const auto read = [](db::Statement& row) -> Result<Times> {
    Times times;
    Row(row) >> times.checked_at >> times.proven_at;
    return times;
  };
  HF_TRY(const auto times, first_row(found.bind(":machine", machine), read));
  return times.value_or(Times{});
}

}  // namespace holdfast
