#include "catalog/stores/copies.h"

#include "catalog/stores/document_digests.h"
#include "catalog/stores/layers.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/retention.h"
#include "catalog/stores/row.h"

namespace holdfast {
namespace {

Result<Copy> read_copy(db::Statement& statement) {
  Copy c;
  Row row(statement);
  row >> c.id >> c.point_id >> c.machine_id >> c.repository_id >> c.chain_id >> c.flow_id >> c.execution_id >>
      c.state >> c.kind >> c.created_at >> c.bytes_stored >> c.damaged >> c.sequence;
  HF_CHECK(row.check());
  return c;
}

// Columns that read_copy reads.
db::Result<db::Statement> select_copies(db::Connection& db, std::string_view which) {
  return db.prepare(fmt::format(R"sql(
    SELECT id, point_id, machine_id, repository_id, chain_id, flow_id, execution_id, state, kind, created_at,
           bytes_stored, damaged, sequence
    FROM copies {})sql",
                                which));
}

Result<CopyDisk> read_copy_disk(db::Statement& statement) {
  CopyDisk disk;
  Row row(statement);
  row >> disk.id >> disk.disk_id >> disk.layer_id >> disk.bytes_stored >> disk.sums_sha256;
  return disk;
}

Result<> read_copy_disks(db::Connection& db, Copy& copy) {
  HF_TRY(auto disks, db.prepare(R"sql(
    SELECT id, disk_id, layer_id, bytes_stored, sums_sha256
    FROM copy_disks WHERE copy_id = :copy ORDER BY id)sql"));
  HF_TRY(copy.disks, all_rows(disks.bind(":copy", copy.id), read_copy_disk));
  return {};
}

Result<> insert_disks(db::Connection& db, const Copy& copy) {
  HF_TRY(auto insert, db.prepare(R"sql(
    INSERT INTO copy_disks (id, copy_id, disk_id, layer_id, bytes_stored, sums_sha256)
    VALUES (:id, :copy, :disk, :layer, :bytes_stored, :sums_sha256))sql"));
  for (const CopyDisk& disk : copy.disks)
    HF_CHECK(insert.bind(":id", disk.id)
                 .bind(":copy", copy.id)
                 .bind(":disk", disk.disk_id)
                 .bind(":layer", disk.layer_id)
                 .bind(":bytes_stored", number(disk.bytes_stored))
                 .bind(":sums_sha256", or_null(disk.sums_sha256))
                 .run());
  return {};
}

// Gathers rows that are sorted by point: each has one disk, or none.
Result<std::vector<Copies::Holding>> read_holdings(db::Statement& statement) {
  struct Found {
    Id point = 0;
    std::optional<Id> disk, layer;
    std::string sums_sha256;
    std::optional<std::uint64_t> bytes_stored;
    bool damaged = false;
  };
  const auto read = [](db::Statement& found) -> Result<Found> {
    Found one;
    Time time;
    Row row(found);
    row >> one.point >> time >> one.disk >> one.layer >> one.sums_sha256 >> one.bytes_stored >> one.damaged;
    return one;
  };
  HF_TRY(auto rows, all_rows(statement, read));
  std::vector<Copies::Holding> all;
  for (Found& one : rows) {
    if (all.empty() || all.back().point != one.point) all.push_back({one.point, one.damaged, {}});
    if (one.disk && one.layer)
      all.back().disks.push_back(
          {*one.disk, *one.layer, std::move(one.sums_sha256), one.bytes_stored.value_or(0)});
  }
  return all;
}

}  // namespace

Result<> Copies::add(const Copy& copy) {
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT INTO copies (id, point_id, machine_id, repository_id, chain_id, flow_id, execution_id, state, kind,
                        created_at, bytes_stored, damaged, untold)
    VALUES (:id, :point, :machine, :repository, :chain, :flow, :execution, 'writing', :kind, :created_at, 0, 0,
            1)
    )sql"));
  const auto done = insert.bind(":id", copy.id)
                        .bind(":point", copy.point_id)
                        .bind(":machine", copy.machine_id)
                        .bind(":repository", copy.repository_id)
                        .bind(":chain", copy.chain_id)
                        .bind(":flow", copy.flow_id)
                        .bind(":execution", copy.execution_id)
                        .bind(":kind", to_word(copy.kind))
                        .bind(":created_at", milliseconds(copy.created_at))
                        .run();
  if (!done && done.error().kind == db::Kind::unique)
    return fail(EEXIST, "the point is in that repository, or on its way there");
  HF_CHECK(done);
  return {};
}

Result<> Copies::commit(const Copy& copy, const std::vector<Layer>& layers) {
  HF_CHECK(insert_layers(db_, layers));
  HF_CHECK(insert_disks(db_, copy));
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE copies SET state = 'committed', bytes_stored = :bytes_stored, sequence = :sequence
    WHERE id = :id AND state = 'writing')sql"));
  HF_CHECK(update.bind(":bytes_stored", number(copy.bytes_stored))
               .bind(":sequence", copy.sequence)
               .bind(":id", copy.id)
               .run());
  if (db_.changes() == 0) return fail(EINVAL, "copy {} is not being written", copy.id);
  HF_CHECK(DocumentDigests(db_).set_manifest(copy.point_id, copy.repository_id, copy.manifest_sha256));
  return count_in_repository(db_, copy.repository_id, 1, number(copy.bytes_stored), copy.created_at);
}

Result<> Copies::abandon(Id id) {
  HF_TRY(const Copy copy, get(id));
  HF_TRY(auto remove, db_.prepare("DELETE FROM copies WHERE id = :id AND state = 'writing'"));
  HF_CHECK(remove.bind(":id", id).run());
  if (db_.changes() == 0) return fail(EINVAL, "copy {} is not being written", id);
  HF_CHECK(remove_empty_chain(db_, copy.chain_id));
  return Retention(db_).forget_if_bare(copy.point_id);
}

Result<> Copies::take_over(Id id, std::optional<Id> flow, std::optional<Id> execution) {
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE copies SET flow_id = :flow, execution_id = :execution WHERE id = :id AND state = 'writing')sql"));
  HF_CHECK(update.bind(":flow", flow).bind(":execution", execution).bind(":id", id).run());
  return {};
}

Result<std::vector<Id>> Copies::untold(Id repository, int at_most) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT point_id FROM copies WHERE repository_id = :repository AND untold = 1 AND state = 'committed'
    ORDER BY id LIMIT :at_most)sql"));
  return all_rows(found.bind(":repository", repository).bind(":at_most", at_most), read_id);
}

Result<> Copies::set_told(Id id, std::int64_t revision) {
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE copies SET untold = 0
    WHERE id = :id AND (SELECT revision FROM points WHERE points.id = copies.point_id) = :revision)sql"));
  HF_CHECK(update.bind(":id", id).bind(":revision", revision).run());
  return {};
}

Result<> Copies::set_damaged(Id id, bool damaged) {
  HF_TRY(auto update,
         db_.prepare("UPDATE copies SET damaged = :damaged WHERE id = :id RETURNING machine_id"));
  HF_TRY(const auto machine, returned_row(update.bind(":damaged", damaged).bind(":id", id), read_id));
  return machine ? Machines(db_).touch(*machine) : Result<>{};
}

Result<std::int64_t> Copies::damaged(Id machine) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT count(*) FROM copies WHERE machine_id = :machine AND damaged = 1 AND state = 'committed')sql"));
  HF_TRY(const auto count, first_row(found.bind(":machine", machine), read_id));
  return count.value_or(0);
}

Result<Copy> Copies::get(Id id) {
  HF_TRY(auto found, select_copies(db_, "WHERE id = :id"));
  HF_TRY(auto copy, first_row(found.bind(":id", id), read_copy));
  if (!copy) return fail(ENOENT, "there is no copy with id {}", id);
  HF_CHECK(read_copy_disks(db_, *copy));
  return std::move(*copy);
}

Result<std::vector<Copy>> Copies::of_point(Id point) {
  HF_TRY(auto found, select_copies(db_, "WHERE point_id = :point AND state = 'committed' ORDER BY id"));
  HF_TRY(auto copies, all_rows(found.bind(":point", point), read_copy));
  for (Copy& copy : copies) HF_CHECK(read_copy_disks(db_, copy));
  return copies;
}

Result<std::vector<Id>> Copies::of_repository(Id repository) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id FROM copies WHERE repository_id = :repository AND state = 'committed' ORDER BY id)sql"));
  return all_rows(found.bind(":repository", repository), read_id);
}

Result<std::vector<Id>> Copies::of_machine(Id machine) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id FROM copies WHERE machine_id = :machine AND state = 'committed' ORDER BY id)sql"));
  return all_rows(found.bind(":machine", machine), read_id);
}

Result<std::vector<Copy>> Copies::writing(Id machine, Id repository) {
  HF_TRY(
      auto found,
      select_copies(
          db_,
          "WHERE state = 'writing' AND machine_id = :machine AND repository_id = :repository ORDER BY id"));
  return all_rows(found.bind(":machine", machine).bind(":repository", repository), read_copy);
}

Result<std::vector<Copies::Holding>> Copies::held(Id machine, Id repository) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT points.id, points.time, point_disks.disk_id, point_disks.layer_id, point_disks.sums_sha256,
           point_disks.bytes_stored, points.verified_result IS 'bad'
    FROM points JOIN point_disks ON point_disks.point_id = points.id
    WHERE points.machine_id = :machine AND points.repository_id = :repository
      AND points.state = 'committed'
    UNION ALL
    SELECT points.id, points.time, copy_disks.disk_id, copy_disks.layer_id, copy_disks.sums_sha256,
           copy_disks.bytes_stored, copies.damaged
    FROM copies JOIN points ON points.id = copies.point_id
    JOIN copy_disks ON copy_disks.copy_id = copies.id
    WHERE copies.machine_id = :machine AND copies.repository_id = :repository
      AND copies.state = 'committed'
    ORDER BY 1, 3)sql"));
  return read_holdings(found.bind(":machine", machine).bind(":repository", repository));
}

Result<std::vector<Copies::Holding>> Copies::going(Id machine, Id repository) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT points.id, points.time, copy_disks.disk_id, copy_disks.layer_id, copy_disks.sums_sha256,
           copy_disks.bytes_stored, copies.damaged
    FROM copies JOIN points ON points.id = copies.point_id
    LEFT JOIN copy_disks ON copy_disks.copy_id = copies.id
    WHERE copies.machine_id = :machine AND copies.repository_id = :repository AND copies.state = 'retired'
    ORDER BY 1, 3)sql"));
  return read_holdings(found.bind(":machine", machine).bind(":repository", repository));
}

}  // namespace holdfast
