#include "catalog/stores/schedules.h"

namespace holdfast {
namespace {

Result<Schedule> read_schedule(db::Statement& statement) {
  Schedule schedule;
  ScheduleDefinition& definition = schedule.definition;
  Row row(statement);
  read_object(row, schedule, definition.description) >> definition.cron >> definition.every >>
      definition.timezone >> definition.jitter >> definition.missed >> definition.enabled >> schedule.next_at;
  HF_CHECK(row.check());
  return schedule;
}

db::Statement& bind_definition(db::Statement& statement, const ScheduleDefinition& definition) {
  return statement.bind(":description", or_null(definition.description))
      .bind(":cron", or_null(definition.cron))
      .bind(":every", number(definition.every))
      .bind(":timezone", definition.timezone)
      .bind(":jitter", number(definition.jitter))
      .bind(":missed", to_word(definition.missed))
      .bind(":enabled", definition.enabled);
}

}  // namespace

Result<Schedule> Schedules::add(std::string_view name, const Ownership& ownership, Time now) {
  Schedule schedule;
  HF_TRY(static_cast<Object&>(schedule), make(name, ownership, now));
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT INTO schedules (id, name, uid, gid, mode, complete, revision, created_at, changed_at,
                           description, cron, every, timezone, jitter, missed, enabled)
    VALUES (:id, :name, :uid, :gid, :mode, :complete, :revision, :created_at, :changed_at, :description,
            :cron, :every, :timezone, :jitter, :missed, :enabled))sql"));
  const auto done = bind_definition(bind_object(insert, schedule), schedule.definition).run();
  if (!done) return tl::make_unexpected(taken(done.error(), name));
  return schedule;
}

Result<Schedule> Schedules::get(Id id) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id, name, uid, gid, mode, complete, revision, created_at, changed_at, description,
           cron, every, timezone, jitter, missed, enabled, next_at
    FROM schedules WHERE id = :id)sql"));
  HF_TRY(auto schedule, first_row(found.bind(":id", id), read_schedule));
  if (!schedule) return tl::make_unexpected(missing(id));
  HF_TRY(schedule->definition.tags, texts("tag", id));
  HF_TRY(schedule->definition.blackout, texts("blackout", id));
  return std::move(*schedule);
}

Result<> Schedules::define(Id id, const ScheduleDefinition& definition, Time now) {
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE schedules
    SET complete = 1, revision = :revision, changed_at = :now, description = :description,
        cron = :cron, every = :every, timezone = :timezone, jitter = :jitter, missed = :missed,
        enabled = :enabled,
        next_at = NULL
    WHERE id = :id)sql"));
  HF_CHECK(bind_definition(update, definition)
               .bind(":revision", new_id())
               .bind(":now", milliseconds(now))
               .bind(":id", id)
               .run());
  HF_CHECK(defined(id, db_.changes() > 0, definition.tags));
  return set_texts("blackout", id, definition.blackout);
}

Result<> Schedules::remove(Id id) { return erase(id); }

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
