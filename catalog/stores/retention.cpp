#include "catalog/stores/retention.h"

#include "catalog/stores/copies.h"
#include "catalog/stores/definition_changes.h"
#include "catalog/stores/disks.h"
#include "catalog/stores/handing_over.h"
#include "catalog/stores/layers.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/row.h"

namespace holdfast {
namespace {

Result<Retention::Kept> read_kept(db::Statement& statement) {
  Retention::Kept kept;
  Row row(statement);
  row >> kept.id >> kept.name >> kept.time >> kept.repository_id >> kept.flow_id >> kept.policy_id >>
      kept.flow >> kept.damaged >> kept.verdict >> kept.pinned >> kept.carried >> kept.copy;
  HF_CHECK(row.check());
  return kept;
}

Result<Retention::StoredLayer> read_stored_layer(db::Statement& statement) {
  Retention::StoredLayer layer;
  Row row(statement);
  row >> layer.id >> layer.chain_id >> layer.disk_id >> layer.parent_layer_id >> layer.file >>
      layer.image_id >> layer.file_bytes >> layer.shown >> layer.punched_under >> layer.merging_image_id >>
      layer.merging_onto >> layer.disk >> layer.content_sha256 >> layer.bytes_stored;
  return layer;
}

// The reason why it can't go, or "".
Result<std::string> held_by(db::Connection& db, Id point) {
  HF_TRY(auto held, db.prepare(R"sql(
    SELECT 'is pinned' FROM pins WHERE point_id = :id
    UNION ALL SELECT 'has left something at the source, which is to be swept first'
    FROM leftovers WHERE point_id = :id)sql"));
  HF_TRY(const auto why, first_row(held.bind(":id", point), read_text));
  return why.value_or("");
}

Result<> set_stored_of_copy(db::Connection& db, Id layer, std::uint64_t bytes, Time now) {
  HF_TRY(auto found, db.prepare(R"sql(
    SELECT copy_disks.id, copy_disks.copy_id, copy_disks.bytes_stored FROM layers JOIN copy_disks
      ON copy_disks.disk_id = layers.disk_id AND copy_disks.layer_id = layers.id
    WHERE layers.id = :layer LIMIT 1)sql"));
  struct Found {
    Id disk = 0, copy = 0;
    std::int64_t bytes = 0;
  };
  const auto read = [](db::Statement& statement) -> Result<Found> {
    Found its;
    Row row(statement);
    row >> its.disk >> its.copy >> its.bytes;
    return its;
  };
  HF_TRY(const auto its, first_row(found.bind(":layer", layer), read));
  if (!its || its->bytes == number(bytes)) return {};
  const std::int64_t more = number(bytes) - its->bytes;
  HF_TRY(auto of_disk, db.prepare("UPDATE copy_disks SET bytes_stored = :bytes WHERE id = :id"));
  HF_CHECK(of_disk.bind(":bytes", number(bytes)).bind(":id", its->disk).run());
  HF_TRY(auto of_copy, db.prepare("UPDATE copies SET bytes_stored = bytes_stored + :more WHERE id = :id"));
  HF_CHECK(of_copy.bind(":more", more).bind(":id", its->copy).run());
  HF_TRY(const Copy copy, Copies(db).get(its->copy));
  return count_in_repository(db, copy.repository_id, 0, more, now);
}

}  // namespace

Result<std::vector<Retention::Kept>> Retention::points(Id machine, Time now) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT points.id, points.name, points.time, points.repository_id, points.flow_id, flows.policy_id,
           coalesce(flows.name, ''), points.verified_result IS 'bad',
           (SELECT result FROM verdicts WHERE point_id = points.id ORDER BY id DESC LIMIT 1),
           EXISTS (SELECT 1 FROM pins WHERE point_id = points.id AND (until IS NULL OR until > :now)),
           points.carried, NULL
    FROM points LEFT JOIN flows ON flows.id = points.flow_id
    WHERE points.machine_id = :machine AND points.state = 'committed'
    UNION ALL
    SELECT points.id, points.name, points.time, copies.repository_id, copies.flow_id, flows.policy_id,
           coalesce(flows.name, ''), copies.damaged,
           (SELECT result FROM verdicts WHERE point_id = points.id ORDER BY id DESC LIMIT 1),
           EXISTS (SELECT 1 FROM pins WHERE point_id = points.id AND (until IS NULL OR until > :now)),
           1, copies.id
    FROM copies JOIN points ON points.id = copies.point_id LEFT JOIN flows ON flows.id = copies.flow_id
    WHERE copies.machine_id = :machine AND copies.state = 'committed' AND points.state = 'committed'
    ORDER BY 3, 1, 12)sql"));
  return all_rows(found.bind(":machine", machine).bind(":now", milliseconds(now)), read_kept);
}

Result<> Retention::retire(Id id, Time now) {
  HF_TRY(const Point point, Points(db_).get(id));
  if (point.state != PointState::committed) return fail(ENOENT, "point '{}' is not committed", point.name);
  HF_TRY(auto ended,
         db_.prepare("DELETE FROM pins WHERE point_id = :id AND until IS NOT NULL AND until <= :now"));
  HF_CHECK(ended.bind(":id", id).bind(":now", milliseconds(now)).run());
  // A source that is gone must not hold the point for ever. Prunings sweep before they retire.
  HF_TRY(auto unwanted,
         db_.prepare("DELETE FROM leftovers WHERE point_id = :id AND kind = 'unwanted_bitmap'"));
  HF_CHECK(unwanted.bind(":id", id).run());
  HF_TRY(const std::string held, held_by(db_, id));
  if (!held.empty()) return fail(EBUSY, "point '{}' {}", point.name, held);
  HF_CHECK(set_due(point.machine_id, true));
  return leave_to_heir(db_, point, now);
}

Result<> Retention::retire_copy(Id id, Time now) {
  HF_TRY(const Copy copy, Copies(db_).get(id));
  if (copy.state != PointState::committed) return fail(ENOENT, "copy {} is not committed", id);
  HF_CHECK(set_due(copy.machine_id, true));
  HF_TRY(auto update, db_.prepare("UPDATE copies SET state = 'retired' WHERE id = :id"));
  HF_CHECK(update.bind(":id", id).run());
  HF_CHECK(Points(db_).touch(copy.point_id));
  return count_in_repository(db_, copy.repository_id, -1, 0, now);
}

Result<> Retention::retire_altogether(Id point, Time now) {
  HF_TRY(const auto copies, Copies(db_).of_point(point));
  for (const Copy& copy : copies) HF_CHECK(retire_copy(copy.id, now));
  return retire(point, now);
}

Result<std::vector<Retention::Gone>> Retention::retired(Id machine, Id repository) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id, name, 0 FROM points
    WHERE machine_id = :machine AND repository_id = :repository AND state = 'retired'
    UNION ALL
    SELECT copies.id, points.name, 1 FROM copies JOIN points ON points.id = copies.point_id
    WHERE copies.machine_id = :machine AND copies.repository_id = :repository AND copies.state = 'retired'
    ORDER BY 1 DESC)sql"));
  const auto read = [](db::Statement& statement) -> Result<Gone> {
    Gone gone;
    Row row(statement);
    row >> gone.id >> gone.name >> gone.is_copy;
    return gone;
  };
  return all_rows(found.bind(":machine", machine).bind(":repository", repository), read);
}

Result<std::vector<std::string>> Retention::copies(Id machine, Id repository) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT points.name FROM points JOIN copies
      ON copies.machine_id = points.machine_id AND copies.point_id = points.id
    WHERE points.machine_id = :machine AND copies.repository_id = :repository)sql"));
  return all_rows(found.bind(":machine", machine).bind(":repository", repository), read_text);
}

Result<> Retention::forget(Id id) {
  HF_TRY(const Point point, Points(db_).get(id));
  if (point.state != PointState::retired || !point.disks.empty())
    return fail(EBUSY, "point '{}' is still there", point.name);
  HF_TRY(auto copies, db_.prepare(R"sql(
    SELECT id FROM copies WHERE machine_id = :machine AND point_id = :id LIMIT 1)sql"));
  HF_TRY(const auto copy, first_row(copies.bind(":machine", point.machine_id).bind(":id", id), read_id));
  if (copy) return {};  // removed with the last copy
  if (point.parent_point_id) {
    HF_TRY(auto hand_down,
           db_.prepare("UPDATE points SET parent_point_id = :parent WHERE parent_point_id = :id"));
    HF_CHECK(hand_down.bind(":parent", *point.parent_point_id).bind(":id", id).run());
  }
  HF_TRY(auto children, db_.prepare("SELECT id FROM points WHERE parent_point_id = :id LIMIT 1"));
  HF_TRY(const auto child, first_row(children.bind(":id", id), read_id));
  if (child) return {};
  HF_TRY(auto remove, db_.prepare("DELETE FROM points WHERE id = :id"));
  HF_CHECK(remove.bind(":id", id).run());
  HF_CHECK(remove_empty_chain(db_, point.chain_id));
  HF_CHECK(Disks(db_).prune(point.machine_id));
  return point.parent_point_id ? forget_if_bare(*point.parent_point_id) : Result<>{};
}

Result<> Retention::forget_copy(Id id) {
  HF_TRY(const Copy copy, Copies(db_).get(id));
  if (copy.state != PointState::retired || !copy.disks.empty())
    return fail(EBUSY, "copy {} is still there", id);
  HF_TRY(auto remove, db_.prepare("DELETE FROM copies WHERE id = :id"));
  HF_CHECK(remove.bind(":id", id).run());
  HF_CHECK(remove_empty_chain(db_, copy.chain_id));
  return forget_if_bare(copy.point_id);
}

Result<> Retention::forget_if_bare(Id id) {
  HF_TRY(const Point point, Points(db_).get(id));
  return point.state == PointState::retired && point.disks.empty() ? forget(id) : Result<>{};
}

Result<std::vector<Retention::StoredLayer>> Retention::layers(Id machine, Id repository) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT layers.id, layers.chain_id, layers.disk_id, layers.parent_layer_id, layers.file, layers.image_id,
           layers.file_bytes,
           EXISTS (SELECT 1 FROM point_disks JOIN points ON points.id = point_disks.point_id
                   WHERE point_disks.disk_id = layers.disk_id AND point_disks.layer_id = layers.id
                     AND points.state <> 'retired')
             OR EXISTS (SELECT 1 FROM copy_disks JOIN copies ON copies.id = copy_disks.copy_id
                        WHERE copy_disks.disk_id = layers.disk_id AND copy_disks.layer_id = layers.id
                          AND copies.state <> 'retired'),
           layers.punched_under, layers.merging_image_id, layers.merging_onto,
           disks.name, made_for.content_sha256,
           coalesce(made_for.bytes_stored,
                    (SELECT copy_disks.bytes_stored FROM copy_disks
                     WHERE copy_disks.disk_id = layers.disk_id AND copy_disks.layer_id = layers.id LIMIT 1), 0)
    FROM chains JOIN layers ON layers.chain_id = chains.id JOIN disks ON disks.id = layers.disk_id
    LEFT JOIN point_disks AS made_for
      ON made_for.disk_id = layers.disk_id AND made_for.layer_id = layers.id
    WHERE chains.machine_id = :machine AND chains.repository_id = :repository
    ORDER BY layers.id)sql"));
  return all_rows(found.bind(":machine", machine).bind(":repository", repository), read_stored_layer);
}

Result<> Retention::set_stored(Id layer, std::uint64_t bytes, Time now) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT point_disks.id FROM layers JOIN point_disks
      ON point_disks.disk_id = layers.disk_id AND point_disks.layer_id = layers.id
    WHERE layers.id = :layer LIMIT 1)sql"));
  HF_TRY(const auto its, first_row(found.bind(":layer", layer), read_id));
  if (!its) return set_stored_of_copy(db_, layer, bytes, now);
  HF_TRY(const PointDisk disk, Points(db_).disk(*its));
  HF_TRY(const Point point, Points(db_).get(disk.point_id));
  const std::int64_t more = number(bytes) - number(disk.bytes_stored);
  if (more == 0) return {};
  HF_TRY(auto of_disk, db_.prepare("UPDATE point_disks SET bytes_stored = :bytes WHERE id = :id"));
  HF_CHECK(of_disk.bind(":bytes", number(bytes)).bind(":id", disk.id).run());
  HF_TRY(auto of_point, db_.prepare(R"sql(
    UPDATE points SET bytes_stored = bytes_stored + :more, revision = :revision WHERE id = :id)sql"));
  HF_CHECK(of_point.bind(":more", more).bind(":revision", new_id()).bind(":id", point.id).run());
  return count_points(db_, point, 0, more, now);
}

Result<> Retention::forget_layer(Id layer, Time now) {
  HF_CHECK(set_stored(layer, 0, now));
  HF_TRY(auto disks, db_.prepare(R"sql(
    DELETE FROM point_disks
    WHERE (disk_id, layer_id) IN (SELECT disk_id, id FROM layers WHERE id = :layer)
      AND EXISTS (SELECT 1 FROM points WHERE points.id = point_disks.point_id AND points.state = 'retired'))sql"));
  HF_CHECK(disks.bind(":layer", layer).run());
  HF_TRY(auto copied, db_.prepare(R"sql(
    DELETE FROM copy_disks
    WHERE (disk_id, layer_id) IN (SELECT disk_id, id FROM layers WHERE id = :layer)
      AND EXISTS (SELECT 1 FROM copies WHERE copies.id = copy_disks.copy_id AND copies.state = 'retired'))sql"));
  HF_CHECK(copied.bind(":layer", layer).run());
  HF_TRY(auto remove, db_.prepare("DELETE FROM layers WHERE id = :layer"));
  const auto done = remove.bind(":layer", layer).run();
  if (!done && done.error().kind == db::Kind::foreign_key)
    return fail(EBUSY, "layer {} is shown, or another rests on it", layer);
  HF_CHECK(done);
  return {};
}

Result<> Retention::set_punched(Id layer, Id under) {
  HF_TRY(auto update, db_.prepare("UPDATE layers SET punched_under = :under WHERE id = :layer"));
  HF_CHECK(update.bind(":under", under).bind(":layer", layer).run());
  return {};
}

Result<> Retention::begin_merge(Id layer, const std::string& image_id, Id onto) {
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE layers SET merging_image_id = :image_id, merging_onto = :onto WHERE id = :layer)sql"));
  HF_CHECK(update.bind(":image_id", image_id).bind(":onto", onto).bind(":layer", layer).run());
  return {};
}

Result<> Retention::end_merge(Id layer, std::uint64_t file_bytes, const std::string& sums_sha256,
                              const std::string& content_sha256) {
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE layers
    SET image_id = merging_image_id, parent_layer_id = merging_onto, file_bytes = :bytes, punched_under = 0,
        merging_image_id = NULL, merging_onto = NULL, read_at = NULL, sound = 0
    WHERE id = :layer AND merging_image_id IS NOT NULL)sql"));
  HF_CHECK(update.bind(":bytes", number(file_bytes)).bind(":layer", layer).run());
  HF_TRY(auto disks, db_.prepare(R"sql(
    UPDATE point_disks SET sums_sha256 = :sums, content_sha256 = :content
    WHERE (disk_id, layer_id) IN (SELECT disk_id, id FROM layers WHERE id = :layer)
    RETURNING point_id)sql"));
  HF_TRY(auto points, all_rows(disks.bind(":sums", or_null(sums_sha256))
                                   .bind(":content", or_null(content_sha256))
                                   .bind(":layer", layer),
                               read_id));
  HF_TRY(auto copied, db_.prepare(R"sql(
    UPDATE copy_disks SET sums_sha256 = :sums
    WHERE (disk_id, layer_id) IN (SELECT disk_id, id FROM layers WHERE id = :layer)
    RETURNING (SELECT point_id FROM copies WHERE copies.id = copy_id))sql"));
  HF_TRY(const auto of_copies,
         all_rows(copied.bind(":sums", or_null(sums_sha256)).bind(":layer", layer), read_id));
  points.insert(points.end(), of_copies.begin(), of_copies.end());
  for (const Id point : points) {
    HF_TRY(auto touch, db_.prepare("UPDATE points SET revision = :revision WHERE id = :id"));
    HF_CHECK(touch.bind(":revision", new_id()).bind(":id", point).run());
  }
  return {};
}

Result<> Retention::give_up_merge(Id layer) {
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE layers SET merging_image_id = NULL, merging_onto = NULL WHERE id = :layer)sql"));
  HF_CHECK(update.bind(":layer", layer).run());
  return {};
}

Result<std::vector<Id>> Retention::merging() {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT DISTINCT chains.machine_id FROM layers JOIN chains ON chains.id = layers.chain_id
    WHERE layers.merging_image_id IS NOT NULL)sql"));
  return all_rows(found, read_id);
}

Result<std::vector<Id>> Retention::due() {
  HF_TRY(auto found, db_.prepare("SELECT id FROM machines WHERE prune_due = 1"));
  return all_rows(found, read_id);
}

Result<> Retention::set_due(Id machine, bool due) {
  HF_TRY(auto update, db_.prepare("UPDATE machines SET prune_due = :due WHERE id = :id"));
  HF_CHECK(update.bind(":due", due).bind(":id", machine).run());
  return {};
}

Result<std::vector<Id>> Retention::over(Time now) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id FROM machines
    WHERE retired_at IS NOT NULL AND retired_at + retired_keep * 1000 <= :now
      AND EXISTS (SELECT 1 FROM points
                  WHERE points.machine_id = machines.id AND points.state = 'committed'
                    AND NOT EXISTS (SELECT 1 FROM pins WHERE pins.point_id = points.id
                                    AND (pins.until IS NULL OR pins.until > :now))))sql"));
  return all_rows(found.bind(":now", milliseconds(now)), read_id);
}

Result<std::optional<Retention::Retired>> Retention::retirement(Id machine) {
  HF_TRY(auto found, db_.prepare("SELECT retired_at, retired_keep FROM machines WHERE id = :id"));
  const auto read = [](db::Statement& statement)
      -> Result<std::pair<std::optional<Time>, std::optional<std::chrono::seconds>>> {
    std::optional<Time> at;
    std::optional<std::chrono::seconds> keep;
    Row row(statement);
    row >> at >> keep;
    return std::pair{at, keep};
  };
  HF_TRY(const auto row, first_row(found.bind(":id", machine), read));
  if (!row || !row->first) return std::nullopt;
  return Retired{*row->first, row->second.value_or(std::chrono::seconds{0})};
}

Result<> Retention::set_retirement(Id machine, const std::optional<Retired>& retirement) {
  HF_TRY(auto update,
         db_.prepare("UPDATE machines SET retired_at = :at, retired_keep = :keep WHERE id = :id"));
  HF_CHECK(update.bind(":at", retirement ? std::optional{milliseconds(retirement->at)} : std::nullopt)
               .bind(":keep", retirement ? std::optional{number(retirement->keep)} : std::nullopt)
               .bind(":id", machine)
               .run());
  HF_TRY(const std::string name, Machines(db_).name_of(machine));
  HF_CHECK(DefinitionChanges(db_).note(DefinitionKind::machine, name));
  return Machines(db_).touch(machine);
}

Result<std::string> Retention::warning(Id machine) {
  HF_TRY(auto found, db_.prepare("SELECT prune_warning FROM machines WHERE id = :id"));
  HF_TRY(const auto warning, first_row(found.bind(":id", machine), read_text));
  return warning.value_or("");
}

Result<> Retention::set_warning(Id machine, const std::string& warning) {
  HF_TRY(auto update, db_.prepare("UPDATE machines SET prune_warning = :warning WHERE id = :id"));
  HF_CHECK(update.bind(":warning", or_null(warning)).bind(":id", machine).run());
  return Machines(db_).touch(machine);
}

}  // namespace holdfast
