#include "catalog/stores/occurrences.h"

#include "catalog/stores/row.h"

namespace holdfast {
namespace {

Result<Occurrence> read_occurrence(db::Statement& statement) {
  Occurrence o;
  Row row(statement);
  row >> o.id >> o.schedule_id >> o.flow_id >> o.planned_at >> o.status >> o.reason >> o.execution_id;
  HF_CHECK(row.check());
  return o;
}

db::Statement& bind_outcome(db::Statement& statement, const Occurrence& occurrence) {
  return statement.bind(":id", occurrence.id)
      .bind(":status", to_word(occurrence.status))
      .bind(":reason", word_or_null(occurrence.reason))
      .bind(":execution", occurrence.execution_id);
}

}  // namespace

Result<> Occurrences::add(const Occurrence& occurrence) {
  HF_TRY(const bool is_new, add_if_new(occurrence));
  if (is_new) return {};
  return fail(EEXIST, "the flow has had {} of that schedule", iso_time(occurrence.planned_at));
}

Result<bool> Occurrences::add_if_new(const Occurrence& occurrence) {
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT INTO schedule_occurrences (id, schedule_id, flow_id, planned_at, status, reason, execution_id)
    VALUES (:id, :schedule, :flow, :planned_at, :status, :reason, :execution)
    ON CONFLICT (schedule_id, flow_id, planned_at) DO NOTHING)sql"));
  HF_CHECK(bind_outcome(insert, occurrence)
               .bind(":schedule", occurrence.schedule_id)
               .bind(":flow", occurrence.flow_id)
               .bind(":planned_at", milliseconds(occurrence.planned_at))
               .run());
  if (db_.changes() == 0) return false;
  HF_CHECK(touch(occurrence.schedule_id));
  return true;
}

Result<> Occurrences::settle(const Occurrence& occurrence) {
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE schedule_occurrences SET status = :status, reason = :reason, execution_id = :execution
    WHERE id = :id AND status = 'planned')sql"));
  HF_CHECK(bind_outcome(update, occurrence).run());
  if (db_.changes() == 0)
    return fail(EINVAL, "{} of that schedule has been settled", iso_time(occurrence.planned_at));
  return touch(occurrence.schedule_id);
}

Result<> Occurrences::touch(Id schedule) {
  HF_TRY(auto update, db_.prepare("UPDATE schedules SET revision = :revision WHERE id = :id"));
  HF_CHECK(update.bind(":revision", new_id()).bind(":id", schedule).run());
  return {};
}

Result<bool> Occurrences::is_planned(Id id) {
  HF_TRY(auto found,
         db_.prepare("SELECT id FROM schedule_occurrences WHERE id = :id AND status = 'planned'"));
  HF_TRY(const auto row, first_row(found.bind(":id", id), read_id));
  return row.has_value();
}

Result<std::vector<Occurrence>> Occurrences::planned() {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id, schedule_id, flow_id, planned_at, status, reason, execution_id
    FROM schedule_occurrences WHERE status = 'planned' ORDER BY planned_at)sql"));
  return all_rows(found, read_occurrence);
}

Result<std::vector<Occurrence>> Occurrences::newest(Id schedule, int at_most) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id, schedule_id, flow_id, planned_at, status, reason, execution_id
    FROM schedule_occurrences WHERE schedule_id = :schedule ORDER BY id DESC LIMIT :at_most)sql"));
  return all_rows(found.bind(":schedule", schedule).bind(":at_most", at_most), read_occurrence);
}

Result<std::int64_t> Occurrences::prune(Id schedule, std::int64_t keep, int at_most) {
  HF_TRY(auto remove, db_.prepare(R"sql(
    DELETE FROM schedule_occurrences WHERE id IN (
      SELECT id FROM schedule_occurrences
      WHERE schedule_id = :schedule AND status <> 'planned' AND id <= (
        SELECT id FROM schedule_occurrences WHERE schedule_id = :schedule
        ORDER BY id DESC LIMIT 1 OFFSET :keep)
      ORDER BY id LIMIT :at_most))sql"));
  HF_CHECK(remove.bind(":schedule", schedule).bind(":keep", keep).bind(":at_most", at_most).run());
  return db_.changes();
}

}  // namespace holdfast
