#include "catalog/stores/executions.h"

#include "catalog/stores/flows.h"
#include "catalog/stores/row.h"

namespace holdfast {
namespace {

Result<Execution> read_execution(db::Statement& statement) {
  Execution e;
  Row row(statement);
  row >> e.id >> e.flow_id >> e.name >> e.status >> e.type >> e.by_name >> e.by >> e.reason >> e.message >>
      e.jobs_created >> e.jobs_completed >> e.jobs_failed >> e.jobs_skipped >> e.machines_processed >>
      e.bytes_read >> e.bytes_transferred >> e.bytes_stored >> e.created_at >> e.started_at >>
      e.completed_at >> e.revision;
  HF_CHECK(row.check());
  return e;
}

// Binds all fields but the identity.
db::Statement& bind_facts(db::Statement& statement, const Execution& e) {
  return bind_caller(statement, e.by)
      .bind(":id", e.id)
      .bind(":status", to_word(e.status))
      .bind(":type", to_word(e.type))
      .bind(":by_name", or_null(e.by_name))
      .bind(":reason", word_or_null(e.reason))
      .bind(":message", or_null(e.message))
      .bind(":jobs_created", e.jobs_created)
      .bind(":jobs_completed", e.jobs_completed)
      .bind(":jobs_failed", e.jobs_failed)
      .bind(":jobs_skipped", e.jobs_skipped)
      .bind(":machines_processed", e.machines_processed)
      .bind(":bytes_read", static_cast<std::int64_t>(e.bytes_read))
      .bind(":bytes_transferred", static_cast<std::int64_t>(e.bytes_transferred))
      .bind(":bytes_stored", static_cast<std::int64_t>(e.bytes_stored))
      .bind(":started_at", milliseconds(e.started_at))
      .bind(":completed_at", milliseconds(e.completed_at))
      .bind(":revision", new_id());
}

// Adds a final execution to its flow's counters.
Result<> count_end(db::Connection& db, const Execution& e) {
  const bool whole_course = e.status != RunStatus::cancelled && e.reason != EndReason::interrupted &&
                            e.started_at && e.completed_at;
  HF_TRY(auto count, db.prepare(R"sql(
    UPDATE flows
    SET successful_executions = successful_executions + :successful,
        warned_executions = warned_executions + :warned,
        failed_executions = failed_executions + :failed,
        finished_executions = finished_executions + :finished,
        total_milliseconds = total_milliseconds + :milliseconds,
        revision = :revision
    WHERE id = :flow)sql"));
  HF_CHECK(count.bind(":successful", e.status == RunStatus::success)
               .bind(":warned", e.status == RunStatus::warning)
               .bind(":failed", e.status == RunStatus::error)
               .bind(":finished", whole_course)
               // A clock that was set back while it ran must not make the sum smaller.
               .bind(":milliseconds",
                     whole_course ? std::max<std::int64_t>(0, (*e.completed_at - *e.started_at).count()) : 0)
               .bind(":revision", new_id())
               .bind(":flow", e.flow_id)
               .run());
  return {};
}

}  // namespace

Result<> Executions::add(const Execution& execution) {
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT INTO executions (id, flow_id, name, status, type, started_by, uid, gid, pid, reason, message,
                            jobs_created, jobs_completed, jobs_failed, jobs_skipped, machines_processed,
                            bytes_read, bytes_transferred, bytes_stored,
                            created_at, started_at, completed_at, revision)
    VALUES (:id, :flow, :name, :status, :type, :by_name, :uid, :gid, :pid, :reason, :message,
            :jobs_created, :jobs_completed, :jobs_failed, :jobs_skipped, :machines_processed,
            :bytes_read, :bytes_transferred, :bytes_stored,
            :created_at, :started_at, :completed_at, :revision))sql"));
  const auto done = bind_facts(insert, execution)
                        .bind(":flow", execution.flow_id)
                        .bind(":name", execution.name)
                        .bind(":created_at", milliseconds(execution.created_at))
                        .run();
  if (!done && done.error().kind == db::Kind::unique) {
    if (done.error().constraint == "executions.flow_id")
      return fail(EBUSY, "flow '{}' has an execution that has not ended; '{}' can't begin",
                  Flows(db_).name_of(execution.flow_id).value_or("?"), execution.name);
    return fail(EEXIST, "the flow has an execution '{}'", execution.name);
  }
  HF_CHECK(done);
  HF_TRY(auto count, db_.prepare(R"sql(
    UPDATE flows SET total_executions = total_executions + 1, revision = :revision WHERE id = :flow)sql"));
  HF_CHECK(count.bind(":revision", new_id()).bind(":flow", execution.flow_id).run());
  if (is_final(execution.status)) return count_end(db_, execution);
  return {};
}

Result<Execution> Executions::get(Id id) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id, flow_id, name, status, type, started_by, uid, gid, pid, reason, message,
           jobs_created, jobs_completed, jobs_failed, jobs_skipped, machines_processed,
           bytes_read, bytes_transferred, bytes_stored, created_at, started_at, completed_at, revision
    FROM executions WHERE id = :id)sql"));
  HF_TRY(auto execution, first_row(found.bind(":id", id), read_execution));
  if (!execution) return fail(ENOENT, "there is no execution with id {}", id);
  return std::move(*execution);
}

Result<std::optional<Id>> Executions::find(Id flow, std::string_view name) {
  HF_TRY(auto found, db_.prepare("SELECT id FROM executions WHERE flow_id = :flow AND name = :name"));
  return first_row(found.bind(":flow", flow).bind(":name", name), read_id);
}

Result<std::vector<Named>> Executions::newest(Id flow, int at_most) {
  HF_TRY(auto newest, db_.prepare(R"sql(
    SELECT id, name FROM executions WHERE flow_id = :flow ORDER BY id DESC LIMIT :at_most)sql"));
  return all_rows(newest.bind(":flow", flow).bind(":at_most", at_most), read_named);
}

Result<std::optional<Execution>> Executions::latest(Id flow) {
  HF_TRY(const auto newest_one, newest(flow, 1));
  if (newest_one.empty()) return std::nullopt;
  HF_TRY(auto execution, get(newest_one.front().id));
  return std::optional{std::move(execution)};
}

Result<std::optional<Execution>> Executions::last_ended(Id flow) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id FROM executions WHERE flow_id = :flow AND completed_at IS NOT NULL ORDER BY id DESC LIMIT 1)sql"));
  HF_TRY(const auto id, first_row(found.bind(":flow", flow), read_id));
  if (!id) return std::nullopt;
  HF_TRY(auto execution, get(*id));
  return std::optional{std::move(execution)};
}

Result<std::optional<Time>> Executions::last_success(Id flow) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT completed_at FROM executions WHERE flow_id = :flow AND status = 'success' ORDER BY id DESC LIMIT 1)sql"));
  return first_row(found.bind(":flow", flow), [](db::Statement& statement) -> Result<Time> {
    Time at{};
    Row(statement) >> at;
    return at;
  });
}

Result<std::vector<Execution>> Executions::unfinished() {
  HF_TRY(auto active, db_.prepare(R"sql(
    SELECT id, flow_id, name, status, type, started_by, uid, gid, pid, reason, message,
           jobs_created, jobs_completed, jobs_failed, jobs_skipped, machines_processed,
           bytes_read, bytes_transferred, bytes_stored, created_at, started_at, completed_at, revision
    FROM executions WHERE status IN ('pending', 'running') ORDER BY flow_id)sql"));
  return all_rows(active, read_execution);
}

Result<> Executions::update(const Execution& execution) {
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE executions
    SET status = :status, type = :type, started_by = :by_name, uid = :uid, gid = :gid, pid = :pid,
        reason = :reason, message = :message, jobs_created = :jobs_created, jobs_completed = :jobs_completed,
        jobs_failed = :jobs_failed, jobs_skipped = :jobs_skipped, machines_processed = :machines_processed, bytes_read = :bytes_read,
        bytes_transferred = :bytes_transferred, bytes_stored = :bytes_stored,
        started_at = :started_at, completed_at = :completed_at, revision = :revision
    WHERE id = :id AND status IN ('pending', 'running'))sql"));
  HF_CHECK(bind_facts(update, execution).run());
  if (db_.changes() == 0) {
    HF_TRY(const Execution ended, get(execution.id));
    return fail(EINVAL, "execution '{}' has ended with {}; that stays", ended.name, to_word(ended.status));
  }
  if (is_final(execution.status)) return count_end(db_, execution);
  return {};
}

Result<std::int64_t> Executions::prune(Id flow, std::int64_t keep, int at_most) {
  HF_TRY(auto remove, db_.prepare(R"sql(
    DELETE FROM executions WHERE id IN (
      SELECT id FROM executions
      WHERE flow_id = :flow AND status NOT IN ('pending', 'running') AND id <= (
        SELECT id FROM executions WHERE flow_id = :flow ORDER BY id DESC LIMIT 1 OFFSET :keep)
      ORDER BY id LIMIT :at_most))sql"));
  HF_CHECK(remove.bind(":flow", flow).bind(":keep", keep).bind(":at_most", at_most).run());
  return db_.changes();
}

}  // namespace holdfast
