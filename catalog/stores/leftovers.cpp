#include "catalog/stores/leftovers.h"

#include "catalog/stores/machines.h"
#include "catalog/stores/row.h"

namespace holdfast {
namespace {

Result<Leftover> read_leftover(db::Statement& statement) {
  Leftover leftover;
  Row row(statement);
  row >> leftover.id >> leftover.machine_id >> leftover.point_id >> leftover.kind >> leftover.name >>
      leftover.detail >> leftover.driver;
  HF_CHECK(row.check());
  return leftover;
}

}  // namespace

Result<bool> Leftovers::hold_a_source() {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id FROM leftovers WHERE kind NOT IN ('bitmap', 'unwanted_bitmap') LIMIT 1)sql"));
  HF_TRY(const auto one, first_row(found, read_id));
  return one.has_value();
}

Result<> Leftovers::add(const Leftover& leftover) {
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT INTO leftovers (id, machine_id, point_id, kind, name, detail, driver)
    VALUES (:id, :machine, :point, :kind, :name, :detail, :driver))sql"));
  HF_CHECK(insert.bind(":id", leftover.id)
               .bind(":machine", leftover.machine_id)
               .bind(":point", leftover.point_id)
               .bind(":kind", to_word(leftover.kind))
               .bind(":name", leftover.name)
               .bind(":detail", or_null(leftover.detail))
               .bind(":driver", leftover.driver)
               .run());
  return Machines(db_).touch(leftover.machine_id);
}

Result<> Leftovers::remove(Id id) {
  HF_TRY(auto remove, db_.prepare("DELETE FROM leftovers WHERE id = :id RETURNING machine_id"));
  HF_TRY(const auto machine, returned_row(remove.bind(":id", id), read_id));
  if (!machine) return fail(ENOENT, "there is no leftover with id {}", id);
  return Machines(db_).touch(*machine);
}

Result<std::vector<Leftover>> Leftovers::of_machine(Id machine) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id, machine_id, point_id, kind, name, detail, driver FROM leftovers
    WHERE machine_id = :machine ORDER BY id)sql"));
  return all_rows(found.bind(":machine", machine), read_leftover);
}

Result<std::vector<Id>> Leftovers::machines() {
  HF_TRY(auto found, db_.prepare("SELECT DISTINCT machine_id FROM leftovers ORDER BY machine_id"));
  return all_rows(found, read_id);
}

}  // namespace holdfast
