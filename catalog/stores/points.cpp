#include "catalog/stores/points.h"

#include "catalog/stores/disks.h"
#include "catalog/stores/document_digests.h"
#include "catalog/stores/layers.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/row.h"

namespace holdfast {
namespace {

// Binds all facts but the identity, the state, and the job and flow that made it.
db::Statement& bind_facts(db::Statement& statement, const Point& p) {
  return statement.bind(":id", p.id)
      .bind(":chain", p.chain_id == 0 ? std::nullopt : std::optional{p.chain_id})  // none before the freeze
      .bind(":parent", p.parent_point_id)
      .bind(":name", p.name)
      .bind(":kind", to_word(p.kind))
      .bind(":full_reason", word_or_null(p.full_reason))
      .bind(":consistency", to_word(p.consistency))
      .bind(":time", milliseconds(p.time))
      .bind(":cluster_size", static_cast<std::int64_t>(p.cluster_size))
      .bind(":compression", to_word(p.compression))
      .bind(":bytes_stored", static_cast<std::int64_t>(p.bytes_stored));
}

// Adds the point to, or takes it from, the counters of its machine and repository.
Result<> count(db::Connection& db, const Point& point, int points) {
  return count_points(db, point, points, points * number(point.bytes_stored), point.time);
}

Result<> insert_disk(db::Connection& db, Id point, const PointDisk& disk) {
  HF_TRY(auto insert, db.prepare(R"sql(
    INSERT INTO point_disks (id, point_id, disk_id, name, capacity, kind, full_reason, change_id,
                             bytes_stored, bytes_used, sums_sha256, layer_id, qcow2_bytes,
                             read_everything, bytes_read, content_sha256, source_identity)
    VALUES (:id, :point, :disk, :name, :capacity, :kind, :full_reason, :change_id,
            :bytes_stored, :bytes_used, :sums_sha256, :layer, :qcow2_bytes,
            :read_everything, :bytes_read, :content_sha256, :source_identity))sql"));
  HF_CHECK(insert.bind(":id", disk.id)
               .bind(":point", point)
               .bind(":disk", disk.disk_id)
               .bind(":name", disk.name)
               .bind(":capacity", static_cast<std::int64_t>(disk.capacity))
               .bind(":kind", to_word(disk.kind))
               .bind(":full_reason", word_or_null(disk.full_reason))
               .bind(":change_id", or_null(disk.change_id))
               .bind(":bytes_stored", static_cast<std::int64_t>(disk.bytes_stored))
               .bind(":bytes_used", static_cast<std::int64_t>(disk.bytes_used))
               .bind(":sums_sha256", or_null(disk.sums_sha256))
               .bind(":layer", disk.layer_id)
               .bind(":qcow2_bytes", number(disk.qcow2_bytes))
               .bind(":read_everything", disk.read_everything)
               .bind(":bytes_read", number(disk.bytes_read))
               .bind(":content_sha256", or_null(disk.content_sha256))
               .bind(":source_identity", or_null(disk.source_identity))
               .run());
  return {};
}

// Removes its disks, and the layers that no other point shows.
Result<> remove_disks(db::Connection& db, Id point) {
  HF_TRY(auto disks, db.prepare("DELETE FROM point_disks WHERE point_id = :point RETURNING layer_id"));
  HF_TRY(const auto layers, all_rows(disks.bind(":point", point), read_id));
  return remove_unused_layers(db, layers);
}

}  // namespace

Result<> Points::add_chain(const Chain& chain) {
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT INTO chains (id, machine_id, repository_id, created_at)
    VALUES (:id, :machine, :repository, :created_at))sql"));
  HF_CHECK(insert.bind(":id", chain.id)
               .bind(":machine", chain.machine_id)
               .bind(":repository", chain.repository_id)
               .bind(":created_at", milliseconds(chain.created_at))
               .run());
  return {};
}

Result<> Points::add(const Point& point) {
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT INTO points (id, machine_id, repository_id, chain_id, parent_point_id, execution_id, job_id,
                        flow_id, flow, execution, name, state, kind, full_reason, consistency, time, cluster_size,
                        compression, bytes_stored)
    VALUES (:id, :machine, :repository, :chain, :parent, :execution_id, :job_id,
            coalesce(:flow_id, (SELECT flow_id FROM executions WHERE id = :execution_id)),
            :flow, :execution, :name, 'writing', :kind, :full_reason, :consistency, :time, :cluster_size,
            :compression, :bytes_stored))sql"));
  const auto done = bind_facts(insert, point)
                        .bind(":machine", point.machine_id)
                        .bind(":repository", point.repository_id)
                        .bind(":execution_id", point.execution_id)
                        .bind(":job_id", point.job_id)
                        .bind(":flow_id", point.flow_id)
                        .bind(":flow", or_null(point.flow))
                        .bind(":execution", or_null(point.execution))
                        .run();
  if (!done && done.error().constraint == "points.machine_id, points.repository_id")
    return fail(EBUSY, "the machine is being captured; point '{}' has to wait", point.name);
  if (!done && done.error().kind == db::Kind::unique)
    return fail(EEXIST, "the machine has a point '{}'", point.name);
  HF_CHECK(done);
  return {};
}

Result<> Points::freeze(Id point, Time time, std::string_view name, Id chain) {
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE points SET time = :time, name = :name, chain_id = :chain
    WHERE id = :id AND state = 'writing')sql"));
  const auto done = update.bind(":time", milliseconds(time))
                        .bind(":name", name)
                        .bind(":chain", chain)
                        .bind(":id", point)
                        .run();
  if (!done && done.error().kind == db::Kind::unique)
    return fail(EEXIST, "the machine has a point '{}'", name);
  HF_CHECK(done);
  if (db_.changes() == 0) return fail(EINVAL, "point '{}' is not being written", name);
  return {};
}

Result<> Points::set_verified(Id point, const Point::Verification& verification) {
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE points SET verified_at = :at, verified_level = :level, verified_result = :result
    WHERE id = :id AND state = 'committed')sql"));
  HF_CHECK(update.bind(":at", milliseconds(verification.at))
               .bind(":level", to_word(verification.level))
               .bind(":result", to_word(verification.result))
               .bind(":id", point)
               .run());
  HF_TRY(auto place, db_.prepare(R"sql(
    UPDATE repositories SET revision = :revision
    WHERE id = (SELECT repository_id FROM points WHERE id = :id))sql"));
  HF_CHECK(place.bind(":revision", new_id()).bind(":id", point).run());
  return touch(point);
}

Result<> Points::touch(Id point) {
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE points SET revision = :revision WHERE id = :id AND state = 'committed' RETURNING machine_id)sql"));
  HF_TRY(const auto machine, returned_row(update.bind(":revision", new_id()).bind(":id", point), read_id));
  if (!machine) return fail(ENOENT, "there is no committed point with id {}", point);
  return Machines(db_).touch(*machine);  // the newest good point may be another one now
}

Result<> Points::forget_change_id(Id point_disk) {
  HF_TRY(auto update, db_.prepare("UPDATE point_disks SET change_id = NULL WHERE id = :id"));
  HF_CHECK(update.bind(":id", point_disk).run());
  return {};
}

Result<> Points::reset_cbt(Id machine) {
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE points SET cbt_reset = 1, revision = :revision WHERE machine_id = :machine AND cbt_reset = 0)sql"));
  HF_CHECK(update.bind(":revision", new_id()).bind(":machine", machine).run());
  return {};
}

Result<> Points::set_told(Id point, std::int64_t revision) {
  HF_TRY(auto update, db_.prepare("UPDATE points SET told_revision = :revision WHERE id = :id"));
  HF_CHECK(update.bind(":revision", revision).bind(":id", point).run());
  return {};
}

Result<> Points::commit(const Point& point, const std::vector<Layer>& layers) {
  HF_CHECK(insert_layers(db_, layers));
  for (const PointDisk& disk : point.disks) HF_CHECK(insert_disk(db_, point.id, disk));
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE points
    SET chain_id = :chain, parent_point_id = :parent, name = :name, state = 'committed', kind = :kind,
        full_reason = :full_reason, consistency = :consistency, time = :time, cluster_size = :cluster_size,
        compression = :compression, bytes_stored = :bytes_stored, sequence = :sequence
    WHERE id = :id AND machine_id = :machine AND repository_id = :repository AND state = 'writing')sql"));
  HF_CHECK(bind_facts(update, point)
               .bind(":machine", point.machine_id)
               .bind(":repository", point.repository_id)
               .bind(":sequence", point.sequence)
               .run());
  if (db_.changes() == 0) return fail(EINVAL, "point '{}' is not being written", point.name);
  HF_CHECK(DocumentDigests(db_).set_manifest(point.id, point.repository_id, point.manifest_sha256));
  HF_TRY(auto chain, db_.prepare("UPDATE chains SET points_made = points_made + 1 WHERE id = :chain"));
  HF_CHECK(chain.bind(":chain", point.chain_id).run());
  return count(db_, point, 1);
}

Result<> Points::remove(Id id) {
  HF_TRY(const Point point, get(id));
  HF_TRY(auto children, db_.prepare("SELECT name FROM points WHERE parent_point_id = :id ORDER BY time, id"));
  HF_TRY(const auto resting, first_row(children.bind(":id", id), read_text));
  if (resting) return fail(EBUSY, "point '{}' has point '{}' resting on it", point.name, *resting);
  HF_TRY(auto leftovers, db_.prepare("SELECT name FROM leftovers WHERE point_id = :id"));
  HF_TRY(const auto leftover, first_row(leftovers.bind(":id", id), read_text));
  if (leftover)
    return fail(EBUSY, "point '{}' has left '{}' at the source, which is to be swept first", point.name,
                *leftover);
  HF_TRY(auto pins, db_.prepare("SELECT count(*) FROM pins WHERE point_id = :id"));
  HF_TRY(const auto pinned, first_row(pins.bind(":id", id), read_id));
  if (*pinned > 0) return fail(EBUSY, "point '{}' is pinned", point.name);
  HF_TRY(auto copies, db_.prepare(R"sql(
    SELECT name FROM copies JOIN repositories ON repositories.id = repository_id WHERE point_id = :id)sql"));
  HF_TRY(const auto copied_to, first_row(copies.bind(":id", id), read_text));
  if (copied_to) return fail(EBUSY, "point '{}' has a copy in repository '{}'", point.name, *copied_to);

  HF_CHECK(remove_disks(db_, id));
  HF_TRY(auto remove, db_.prepare("DELETE FROM points WHERE id = :id"));
  HF_CHECK(remove.bind(":id", id).run());
  HF_CHECK(remove_empty_chain(db_, point.chain_id));
  if (point.state == PointState::committed) HF_CHECK(count(db_, point, -1));
  return Disks(db_).prune(point.machine_id);
}

}  // namespace holdfast
