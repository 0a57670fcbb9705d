#include "catalog/stores/schedules.h"

namespace holdfast {

Result<Schedule> Schedules::add(std::string_view name, const Ownership& ownership, Time now) {
  return insert<Schedule>(name, ownership, now);
}

Result<Schedule> Schedules::get(Id id) {
  return load<Schedule>(id, ", next_at", [](Row& row, Schedule& schedule) { row >> schedule.next_at; });
}

Result<> Schedules::define(Id id, const ScheduleDefinition& definition, Time now) {
  return store(id, stored_text(definition), now, ", next_at = NULL");
}

Result<> Schedules::remove(Id id) {
  HF_CHECK(check_unused("schedule", "schedule_id", id));
  return erase(id);
}

Result<> Schedules::set_next(Id id, std::optional<Time> next) {
  HF_TRY(auto update,
         db_.prepare("UPDATE schedules SET next_at = :next, revision = :revision WHERE id = :id"));
  HF_CHECK(update.bind(":next", milliseconds(next)).bind(":revision", new_id()).bind(":id", id).run());
  if (db_.changes() == 0) return tl::make_unexpected(missing(id));
  return {};
}

Result<std::vector<Named>> Schedules::due(Time now, int at_most) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id, name FROM schedules WHERE enabled = 1 AND next_at IS NOT NULL AND next_at <= :now
    ORDER BY next_at LIMIT :at_most)sql"));
  return all_rows(found.bind(":now", milliseconds(now)).bind(":at_most", at_most), read_named);
}

Result<std::vector<Id>> Schedules::without_flow(int at_most) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id FROM schedules
    WHERE complete = 1 AND enabled = 1 AND NOT EXISTS (SELECT 1 FROM flows WHERE schedule_id = schedules.id)
    ORDER BY id LIMIT :at_most)sql"));
  return all_rows(found.bind(":at_most", at_most), read_id);
}

Result<std::vector<Id>> Schedules::unplanned() {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id FROM schedules WHERE next_at IS NULL AND enabled = 1 AND complete = 1 ORDER BY id)sql"));
  return all_rows(found, read_id);
}

Result<std::optional<Time>> Schedules::next_due() {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT next_at FROM schedules WHERE enabled = 1 AND next_at IS NOT NULL ORDER BY next_at LIMIT 1)sql"));
  return first_row(found, [](db::Statement& row) -> Result<Time> {
    return Time{std::chrono::milliseconds{row.integer(0)}};
  });
}

Result<std::vector<Id>> Schedules::planned_after(Time now) {
  HF_TRY(auto found, db_.prepare("SELECT id FROM schedules WHERE enabled = 1 AND next_at > :now"));
  return all_rows(found.bind(":now", milliseconds(now)), read_id);
}

Result<std::vector<Id>> Schedules::next_flows(int at_most) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT flows.id FROM schedules JOIN flows ON flows.schedule_id = schedules.id
    WHERE schedules.enabled = 1 AND schedules.next_at IS NOT NULL AND flows.enabled = 1 AND flows.complete = 1
    ORDER BY schedules.next_at LIMIT :at_most)sql"));
  return all_rows(found.bind(":at_most", at_most), read_id);
}

}  // namespace holdfast
