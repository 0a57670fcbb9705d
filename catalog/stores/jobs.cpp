#include "catalog/stores/jobs.h"

#include "catalog/stores/machines.h"
#include "catalog/stores/row.h"

namespace holdfast {
namespace {

Result<Job> read_job(db::Statement& statement) {
  Job j;
  Row row(statement);
  row >> j.id >> j.name >> j.type >> j.operation >> j.owner >> j.execution_id >> j.machine_id >>
      j.repository_id >> j.parent_job_id >> j.chain_id >> j.status >> j.reason >> j.message >> j.metadata >>
      j.bytes_done >> j.bytes_total >> j.bytes_read >> j.bytes_transferred >> j.bytes_stored >>
      j.created_at >> j.started_at >> j.completed_at >> j.revision >> j.flow_id;
  HF_CHECK(row.check());
  return j;
}

// Binds all fields but the identity and the owners.
db::Statement& bind_facts(db::Statement& statement, const Job& j) {
  return statement.bind(":id", j.id)
      .bind(":operation", or_null(j.operation))
      .bind(":status", to_word(j.status))
      .bind(":reason", word_or_null(j.reason))
      .bind(":message", or_null(j.message))
      .bind(":metadata", j.metadata)
      .bind(":bytes_done", static_cast<std::int64_t>(j.bytes_done))
      .bind(":bytes_total", static_cast<std::int64_t>(j.bytes_total))
      .bind(":bytes_read", static_cast<std::int64_t>(j.bytes_read))
      .bind(":bytes_transferred", static_cast<std::int64_t>(j.bytes_transferred))
      .bind(":bytes_stored", static_cast<std::int64_t>(j.bytes_stored))
      .bind(":started_at", milliseconds(j.started_at))
      .bind(":completed_at", milliseconds(j.completed_at))
      .bind(":revision", new_id());
}

Result<> one_writer(const db::Result<>& done) {
  if (!done && done.error().constraint == "jobs.chain_id")
    return fail(EBUSY, "another job writes to that chain");
  HF_CHECK(done);
  return {};
}

}  // namespace

Result<> Jobs::add(const Job& job) {
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT INTO jobs (id, name, type, operation, owner, execution_id, machine_id, repository_id,
                      parent_job_id,
                      chain_id, status, reason, message, metadata,
                      bytes_done, bytes_total, bytes_read, bytes_transferred, bytes_stored,
                      created_at, started_at, completed_at, revision, flow_id)
    VALUES (:id, :name, :type, :operation, :owner, :execution, :machine, :repository, :parent,
            :chain, :status, :reason, :message, :metadata,
            :bytes_done, :bytes_total, :bytes_read, :bytes_transferred, :bytes_stored,
            :created_at, :started_at, :completed_at, :revision, :flow))sql"));
  const auto done = bind_facts(insert, job)
                        .bind(":name", job.name)
                        .bind(":type", to_word(job.type))
                        .bind(":owner", or_null(job.owner))
                        .bind(":execution", job.execution_id)
                        .bind(":machine", job.machine_id)
                        .bind(":repository", job.repository_id)
                        .bind(":parent", job.parent_job_id)
                        .bind(":chain", job.chain_id)
                        .bind(":flow", job.flow_id)
                        .bind(":created_at", milliseconds(job.created_at))
                        .run();
  if (!done && done.error().constraint == "jobs.name") return fail(EEXIST, "job '{}' exists", job.name);
  HF_CHECK(one_writer(done));
  return job.machine_id ? Machines(db_).touch(*job.machine_id) : Result<>{};
}

Result<Job> Jobs::get(Id id) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id, name, type, operation, owner, execution_id, machine_id, repository_id, parent_job_id,
           chain_id, status, reason, message, metadata,
           bytes_done, bytes_total, bytes_read, bytes_transferred, bytes_stored,
           created_at, started_at, completed_at, revision, flow_id
    FROM jobs WHERE id = :id)sql"));
  HF_TRY(auto job, first_row(found.bind(":id", id), read_job));
  if (!job) return fail(ENOENT, "there is no job with id {}", id);
  return std::move(*job);
}

Result<std::optional<Id>> Jobs::find(std::string_view name) {
  HF_TRY(auto found, db_.prepare("SELECT id FROM jobs WHERE name = :name"));
  return first_row(found.bind(":name", name), read_id);
}

Result<std::vector<Named>> Jobs::newest(int at_most) {
  HF_TRY(auto newest, db_.prepare("SELECT id, name FROM jobs ORDER BY id DESC LIMIT :at_most"));
  return all_rows(newest.bind(":at_most", at_most), read_named);
}

Result<std::vector<Named>> Jobs::of_execution(Id execution) {
  HF_TRY(auto jobs, db_.prepare("SELECT id, name FROM jobs WHERE execution_id = :execution ORDER BY id"));
  return all_rows(jobs.bind(":execution", execution), read_named);
}

Result<std::vector<Job>> Jobs::unfinished() {
  HF_TRY(auto active, db_.prepare(R"sql(
    SELECT id, name, type, operation, owner, execution_id, machine_id, repository_id, parent_job_id,
           chain_id, status, reason, message, metadata,
           bytes_done, bytes_total, bytes_read, bytes_transferred, bytes_stored,
           created_at, started_at, completed_at, revision, flow_id
    FROM jobs WHERE status IN ('pending', 'running') ORDER BY id)sql"));
  return all_rows(active, read_job);
}

Result<std::optional<Named>> Jobs::unfinished_of(Id machine) {
  HF_TRY(auto active, db_.prepare(R"sql(
    SELECT id, name FROM jobs INDEXED BY jobs_active
    WHERE status IN ('pending', 'running') AND machine_id = :machine ORDER BY id DESC LIMIT 1)sql"));
  return first_row(active.bind(":machine", machine), read_named);
}

Result<> Jobs::update(const Job& job) {
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE jobs
    SET operation = :operation, status = :status, reason = :reason, message = :message,
        metadata = :metadata, bytes_done = :bytes_done, bytes_total = :bytes_total, bytes_read = :bytes_read,
        bytes_transferred = :bytes_transferred, bytes_stored = :bytes_stored,
        started_at = :started_at, completed_at = :completed_at, revision = :revision
    WHERE id = :id AND status IN ('pending', 'running'))sql"));
  HF_CHECK(bind_facts(update, job).run());
  if (db_.changes() > 0) return job.machine_id ? Machines(db_).touch(*job.machine_id) : Result<>{};
  HF_TRY(const Job ended, get(job.id));
  return fail(EINVAL, "job '{}' has ended with {}; that stays", ended.name, to_word(ended.status));
}

Result<> Jobs::set_chain(Id id, Id chain) {
  HF_TRY(auto update, db_.prepare("UPDATE jobs SET chain_id = :chain, revision = :revision WHERE id = :id"));
  HF_CHECK(one_writer(update.bind(":chain", chain).bind(":revision", new_id()).bind(":id", id).run()));
  if (db_.changes() == 0) return fail(ENOENT, "there is no job with id {}", id);
  return {};
}

Result<std::vector<Jobs::Active>> Jobs::unfinished_alone() {
  HF_TRY(auto active, db_.prepare(R"sql(
    SELECT jobs.id, jobs.name, coalesce(machines.uid, repositories.uid, flows.uid),
           coalesce(machines.gid, repositories.gid, flows.gid),
           coalesce(machines.mode, repositories.mode, flows.mode)
    FROM jobs INDEXED BY jobs_active
    LEFT JOIN machines ON machines.id = jobs.machine_id
    LEFT JOIN repositories ON repositories.id = jobs.repository_id
    LEFT JOIN flows ON flows.id = jobs.flow_id
    WHERE jobs.status IN ('pending', 'running') AND jobs.execution_id IS NULL
    ORDER BY jobs.id DESC)sql"));
  return all_rows(active, [](db::Statement& statement) -> Result<Active> {
    Active job;
    std::optional<std::uint32_t> uid;
    Ownership owner;
    Row row(statement);
    row >> job.id >> job.name >> uid >> owner.gid >> owner.mode;
    HF_CHECK(row.check());
    if (uid) job.owner = Ownership{*uid, owner.gid, owner.mode};
    return job;
  });
}

// The subject of a job is its machine, else the flow that it tries, else its repository.
Result<std::int64_t> Jobs::prune(const Job& like, std::int64_t keep, int at_most) {
  constexpr std::string_view kOfMachine = R"sql(
    DELETE FROM jobs WHERE id IN (
      SELECT id FROM jobs INDEXED BY jobs_alone_of_machine
      WHERE execution_id IS NULL AND machine_id = :subject AND status NOT IN ('pending', 'running') AND id <= (
        SELECT id FROM jobs INDEXED BY jobs_alone_of_machine
        WHERE execution_id IS NULL AND machine_id = :subject ORDER BY id DESC LIMIT 1 OFFSET :keep)
      ORDER BY id LIMIT :at_most))sql";
  constexpr std::string_view kOfFlow = R"sql(
    DELETE FROM jobs WHERE id IN (
      SELECT id FROM jobs
      WHERE flow_id = :subject AND status NOT IN ('pending', 'running') AND id <= (
        SELECT id FROM jobs WHERE flow_id = :subject ORDER BY id DESC LIMIT 1 OFFSET :keep)
      ORDER BY id LIMIT :at_most))sql";
  constexpr std::string_view kOfRepository = R"sql(
    DELETE FROM jobs WHERE id IN (
      SELECT id FROM jobs INDEXED BY jobs_alone_of_repository
      WHERE execution_id IS NULL AND machine_id IS NULL AND flow_id IS NULL AND repository_id IS :subject
        AND status NOT IN ('pending', 'running') AND id <= (
        SELECT id FROM jobs INDEXED BY jobs_alone_of_repository
        WHERE execution_id IS NULL AND machine_id IS NULL AND flow_id IS NULL AND repository_id IS :subject
        ORDER BY id DESC LIMIT 1 OFFSET :keep)
      ORDER BY id LIMIT :at_most))sql";
  const auto& [question, subject] = like.machine_id ? std::pair{kOfMachine, like.machine_id}
                                    : like.flow_id  ? std::pair{kOfFlow, like.flow_id}
                                                    : std::pair{kOfRepository, like.repository_id};
  HF_TRY(auto remove, db_.prepare(question));
  HF_CHECK(remove.bind(":subject", subject).bind(":keep", keep).bind(":at_most", at_most).run());
  return db_.changes();
}

}  // namespace holdfast
