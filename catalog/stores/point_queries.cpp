// Queries of points; points.cpp has the changes.
#include "catalog/stores/points.h"
#include "catalog/stores/row.h"

namespace holdfast {
namespace {

Result<Point> read_point(db::Statement& statement) {
  Point p;
  Row row(statement);
  std::optional<Time> verified_at;
  std::optional<VerifyLevel> verified_level;
  std::optional<VerdictResult> verified_result;
  row >> p.id >> p.machine_id >> p.repository_id >> p.chain_id >> p.parent_point_id >> p.execution_id >>
      p.job_id >> p.flow_id >> p.flow >> p.execution >> p.name >> p.state >> p.kind >> p.full_reason >>
      p.consistency >> p.time >> p.cluster_size >> p.compression >> p.bytes_stored >> verified_at >>
      verified_level >> verified_result >> p.sequence >> p.revision >> p.carried >> p.cbt_reset;
  HF_CHECK(row.check());
  if (verified_at && verified_level && verified_result)
    p.verified = Point::Verification{*verified_at, *verified_level, *verified_result};
  return p;
}

// Columns that read_point reads.
db::Result<db::Statement> select_points(db::Connection& db, std::string_view which) {
  return db.prepare(fmt::format(R"sql(
    SELECT id, machine_id, repository_id, chain_id, parent_point_id, execution_id, job_id, flow_id, flow,
           execution,
           name, state, kind, full_reason, consistency, time, cluster_size, compression, bytes_stored,
           verified_at, verified_level, verified_result, sequence, revision, carried, cbt_reset
    FROM points {})sql",
                                which));
}

Result<PointDisk> read_point_disk(db::Statement& statement) {
  PointDisk d;
  Row row(statement);
  row >> d.id >> d.point_id >> d.disk_id >> d.name >> d.capacity >> d.kind >> d.full_reason >> d.change_id >>
      d.bytes_stored >> d.bytes_used >> d.sums_sha256 >> d.layer_id >> d.qcow2_bytes >> d.read_everything >>
      d.bytes_read >> d.content_sha256 >> d.source_identity;
  HF_CHECK(row.check());
  return d;
}

Result<Layer> read_layer(db::Statement& statement) {
  Layer l;
  Row row(statement);
  row >> l.id >> l.chain_id >> l.disk_id >> l.parent_layer_id >> l.file >> l.image_id >> l.file_bytes >>
      l.merging_image_id >> l.merging_onto >> l.sums_sha256;
  return l;
}

// Prepares a SELECT of layers between a WITH clause, or "", and a FROM clause.
db::Result<db::Statement> select_layers(db::Connection& db, std::string_view with, std::string_view from) {
  constexpr std::string_view kColumns = R"sql(
    SELECT layers.id, chain_id, layers.disk_id, parent_layer_id, file, image_id, file_bytes, merging_image_id,
           merging_onto, coalesce(
             (SELECT sums_sha256 FROM point_disks
              WHERE point_disks.disk_id = layers.disk_id AND point_disks.layer_id = layers.id),
             (SELECT sums_sha256 FROM copy_disks
              WHERE copy_disks.disk_id = layers.disk_id AND copy_disks.layer_id = layers.id))
    )sql";
  return db.prepare(fmt::format("{}{}{}", with, kColumns, from));
}

Result<Chain> read_chain(db::Statement& statement) {
  Chain c;
  Row row(statement);
  row >> c.id >> c.machine_id >> c.repository_id >> c.created_at >> c.points_made;
  return c;
}

Result<> read_point_disks(db::Connection& db, Point& point) {
  HF_TRY(auto disks, db.prepare(R"sql(
    SELECT id, point_id, disk_id, name, capacity, kind, full_reason, change_id, bytes_stored, bytes_used,
           sums_sha256, layer_id, qcow2_bytes, read_everything, bytes_read, content_sha256,
           source_identity
    FROM point_disks WHERE point_id = :point ORDER BY id)sql"));
  HF_TRY(point.disks, all_rows(disks.bind(":point", point.id), read_point_disk));
  return {};
}

Result<std::optional<Point>> whole(db::Connection& db, db::Statement& newest) {
  HF_TRY(const auto id, first_row(newest, read_id));
  if (!id) return std::nullopt;
  HF_TRY(auto point, Points(db).get(*id));
  return std::optional{std::move(point)};
}

}  // namespace

Result<Point> Points::get(Id id) {
  HF_TRY(auto found, select_points(db_, "WHERE id = :id"));
  HF_TRY(auto point, first_row(found.bind(":id", id), read_point));
  if (!point) return fail(ENOENT, "there is no point with id {}", id);
  HF_CHECK(read_point_disks(db_, *point));
  return std::move(*point);
}

Result<std::optional<Id>> Points::find(Id machine, std::string_view name) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id FROM points WHERE machine_id = :machine AND name = :name AND state = 'committed')sql"));
  return first_row(found.bind(":machine", machine).bind(":name", name), read_id);
}

Result<std::vector<Named>> Points::list(Id machine) {
  HF_TRY(auto points, db_.prepare(R"sql(
    SELECT id, name FROM points WHERE machine_id = :machine AND state = 'committed' ORDER BY time, id)sql"));
  return all_rows(points.bind(":machine", machine), read_named);
}

Result<std::optional<Point>> Points::newest_good(Id machine) {
  HF_TRY(auto newest, db_.prepare(R"sql(
    SELECT id FROM points
    WHERE machine_id = :machine AND state = 'committed' AND verified_result IS NOT 'bad'
      AND (SELECT result FROM verdicts WHERE point_id = points.id ORDER BY id DESC LIMIT 1) IS NOT 'bad'
      AND (carried = 1 OR NOT EXISTS (
        SELECT 1 FROM points AS later
        WHERE later.machine_id = points.machine_id AND later.repository_id = points.repository_id
          AND later.sequence > points.sequence
          AND later.carried = 0 AND later.state = 'committed' AND later.verified_result IS NOT 'bad'
          AND (SELECT result FROM verdicts WHERE point_id = later.id ORDER BY id DESC LIMIT 1) IS NOT 'bad'))
    ORDER BY id DESC LIMIT 1)sql"));
  return whole(db_, newest.bind(":machine", machine));
}

Result<std::optional<Named>> Points::newest_good(Id machine, Time not_later_than) {
  HF_TRY(auto newest, db_.prepare(R"sql(
    SELECT id, name FROM points
    WHERE machine_id = :machine AND state = 'committed' AND verified_result IS NOT 'bad' AND time <= :time
      AND (SELECT result FROM verdicts WHERE point_id = points.id ORDER BY id DESC LIMIT 1) IS NOT 'bad'
    ORDER BY time DESC, id DESC LIMIT 1)sql"));
  return first_row(newest.bind(":machine", machine).bind(":time", milliseconds(not_later_than)), read_named);
}

Result<std::int64_t> Points::damaged(Id machine) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT count(*) FROM points
    WHERE machine_id = :machine AND verified_result = 'bad' AND state = 'committed')sql"));
  HF_TRY(const auto count, first_row(found.bind(":machine", machine), read_id));
  return count.value_or(0);
}

Result<std::optional<Point>> Points::newest(Id machine, Id repository) {
  HF_TRY(auto newest, db_.prepare(R"sql(
    SELECT id FROM points
    WHERE machine_id = :machine AND repository_id = :repository AND state = 'committed' AND carried = 0
    ORDER BY sequence DESC, id DESC LIMIT 1)sql"));
  return whole(db_, newest.bind(":machine", machine).bind(":repository", repository));
}

Result<std::vector<Id>> Points::of_repository(Id repository) {
  HF_TRY(auto points, db_.prepare(R"sql(
    SELECT id FROM points WHERE repository_id = :repository AND state = 'committed' ORDER BY id)sql"));
  return all_rows(points.bind(":repository", repository), read_id);
}

Result<std::vector<Id>> Points::repositories_of(Id machine) {
  HF_TRY(auto found, db_.prepare("SELECT DISTINCT repository_id FROM chains WHERE machine_id = :machine"));
  return all_rows(found.bind(":machine", machine), read_id);
}

Result<std::vector<Point>> Points::of_execution(Id execution) {
  HF_TRY(auto points,
         select_points(db_, "WHERE execution_id = :execution AND state = 'committed' ORDER BY id"));
  return all_rows(points.bind(":execution", execution), read_point);
}

Result<std::vector<Id>> Points::after(Id id, int at_most) {
  HF_TRY(auto points, db_.prepare(R"sql(
    SELECT id FROM points WHERE id > :id AND state = 'committed' ORDER BY id LIMIT :at_most)sql"));
  return all_rows(points.bind(":id", id).bind(":at_most", at_most), read_id);
}

Result<std::vector<Id>> Points::untold(Id repository, int at_most) {
  HF_TRY(auto points, db_.prepare(R"sql(
    SELECT id FROM points
    WHERE repository_id = :repository AND revision > told_revision AND state = 'committed'
    ORDER BY id DESC LIMIT :at_most)sql"));
  return all_rows(points.bind(":repository", repository).bind(":at_most", at_most), read_id);
}

Result<Chain> Points::chain(Id id) {
  HF_TRY(auto found,
         db_.prepare(
             "SELECT id, machine_id, repository_id, created_at, points_made FROM chains WHERE id = :id"));
  HF_TRY(const auto chain, first_row(found.bind(":id", id), read_chain));
  if (!chain) return fail(ENOENT, "there is no chain with id {}", id);
  return *chain;
}

Result<std::vector<Chain>> Points::chains(Id machine) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id, machine_id, repository_id, created_at, points_made FROM chains WHERE machine_id = :machine
    ORDER BY id)sql"));
  return all_rows(found.bind(":machine", machine), read_chain);
}

Result<std::vector<Point>> Points::of_chain(Id chain) {
  HF_TRY(auto points,
         select_points(db_, "WHERE chain_id = :chain AND state = 'committed' ORDER BY time, id"));
  return all_rows(points.bind(":chain", chain), read_point);
}

Result<std::optional<Id>> Points::job_of_full(Id chain) {
  HF_TRY(auto full, db_.prepare(R"sql(
    SELECT coalesce(job_id, 0) FROM points
    WHERE chain_id = :chain AND state <> 'writing' AND kind = 'full' AND carried = 0 LIMIT 1)sql"));
  HF_TRY(const auto job, first_row(full.bind(":chain", chain), read_id));
  return job.value_or(0) == 0 ? std::nullopt : job;
}

Result<std::vector<Layer>> Points::layers_of(Id chain) {
  HF_TRY(auto layers, select_layers(db_, "", "FROM layers WHERE chain_id = :chain ORDER BY id"));
  return all_rows(layers.bind(":chain", chain), read_layer);
}

Result<std::vector<Point>> Points::writing() {
  HF_TRY(auto points, select_points(db_, "WHERE state = 'writing' ORDER BY machine_id"));
  return all_rows(points, read_point);
}

Result<PointDisk> Points::disk(Id point_disk) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id, point_id, disk_id, name, capacity, kind, full_reason, change_id, bytes_stored, bytes_used,
           sums_sha256, layer_id, qcow2_bytes, read_everything, bytes_read, content_sha256,
           source_identity
    FROM point_disks WHERE id = :id)sql"));
  HF_TRY(auto disk, first_row(found.bind(":id", point_disk), read_point_disk));
  if (!disk) return fail(ENOENT, "there is no disk of a point with id {}", point_disk);
  return std::move(*disk);
}

Result<Layer> Points::layer(Id id) {
  HF_TRY(auto found, select_layers(db_, "", "FROM layers WHERE id = :id"));
  HF_TRY(auto layer, first_row(found.bind(":id", id), read_layer));
  if (!layer) return fail(ENOENT, "there is no layer with id {}", id);
  return std::move(*layer);
}

Result<std::vector<Layer>> Points::stack(Id layer) {
  constexpr const char* kBelow = R"sql(
    WITH RECURSIVE below (id, depth) AS (
      VALUES (:id, 0)
      UNION ALL
      SELECT layers.parent_layer_id, below.depth + 1
      FROM below JOIN layers ON layers.id = below.id
      WHERE layers.parent_layer_id IS NOT NULL
    ))sql";
  HF_TRY(auto found,
         select_layers(db_, kBelow, "FROM below JOIN layers ON layers.id = below.id ORDER BY below.depth"));
  HF_TRY(auto layers, all_rows(found.bind(":id", layer), read_layer));
  if (layers.empty()) return fail(ENOENT, "there is no layer with id {}", layer);
  return layers;
}

Result<Points::Total> Points::of_machine(Id machine) {
  HF_TRY(auto found, db_.prepare("SELECT points, bytes_stored FROM machines WHERE id = :id"));
  const auto read = [](db::Statement& statement) -> Result<Total> {
    Total total;
    Row row(statement);
    row >> total.points >> total.bytes_stored;
    return total;
  };
  HF_TRY(const auto total, first_row(found.bind(":id", machine), read));
  if (!total) return fail(ENOENT, "there is no machine with id {}", machine);
  return *total;
}

}  // namespace holdfast
