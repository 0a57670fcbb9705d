#include "catalog/stores/readings.h"

#include "catalog/base/id_time.h"
#include "catalog/stores/row.h"

namespace holdfast {
namespace {

Result<> touch_home(db::Connection& db, const Readings::Home& home) {
  const Id revision = new_id();
  for (const auto& [table, id] : {std::pair{"machines", home.machine}, {"repositories", home.repository}}) {
    HF_TRY(auto update, db.prepare(fmt::format("UPDATE {} SET revision = :revision WHERE id = :id", table)));
    HF_CHECK(update.bind(":revision", revision).bind(":id", id).run());
  }
  return {};
}

Result<Readings::Total> read_total(db::Statement& statement) {
  Readings::Total total;
  Row(statement) >> total.layer_bytes >> total.sound_bytes >> total.last_verified_at;
  return total;
}

Result<Readings::Total> total_of(db::Connection& db, std::string_view table, Id id) {
  HF_TRY(auto found, db.prepare(fmt::format(
                         "SELECT layer_bytes, sound_bytes, last_verified_at FROM {} WHERE id = :id", table)));
  HF_TRY(const auto total, first_row(found.bind(":id", id), read_total));
  if (!total) return fail(ENOENT, "there are no {} with id {}", table, id);
  return *total;
}

}  // namespace

Result<std::vector<Readings::ReadLayer>> Readings::layers(Id repository) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT layers.id, layers.parent_layer_id, layers.file_bytes, layers.read_at, layers.sound
    FROM chains JOIN layers ON layers.chain_id = chains.id
    WHERE chains.repository_id = :repository)sql"));
  return all_rows(found.bind(":repository", repository), [](db::Statement& statement) -> Result<ReadLayer> {
    ReadLayer layer;
    Row(statement) >> layer.id >> layer.parent >> layer.bytes >> layer.read_at >> layer.sound;
    return layer;
  });
}

Result<std::vector<Readings::Shown>> Readings::shown(Id repository) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT point_disks.layer_id, flows.policy_id
    FROM points JOIN flows ON flows.id = points.flow_id JOIN point_disks ON point_disks.point_id = points.id
    WHERE points.repository_id = :repository AND points.state = 'committed' AND flows.policy_id IS NOT NULL
    UNION
    SELECT copy_disks.layer_id, flows.policy_id
    FROM copies JOIN flows ON flows.id = copies.flow_id JOIN copy_disks ON copy_disks.copy_id = copies.id
    WHERE copies.repository_id = :repository AND copies.state = 'committed' AND flows.policy_id IS NOT NULL
    )sql"));
  return all_rows(found.bind(":repository", repository), [](db::Statement& statement) -> Result<Shown> {
    Shown shown;
    Row(statement) >> shown.layer >> shown.policy;
    return shown;
  });
}

Result<> Readings::set_read(Id layer, Time at, bool sound) {
  HF_TRY(const Home where, home(layer));
  HF_TRY(auto update, db_.prepare("UPDATE layers SET read_at = :at, sound = :sound WHERE id = :id"));
  HF_CHECK(update.bind(":at", milliseconds(at)).bind(":sound", sound).bind(":id", layer).run());
  return touch_home(db_, where);
}

Result<> Readings::set_unsound(Id layer) {
  HF_TRY(const Home where, home(layer));
  HF_TRY(auto update, db_.prepare("UPDATE layers SET sound = 0 WHERE id = :id"));
  HF_CHECK(update.bind(":id", layer).run());
  return touch_home(db_, where);
}

// Stops at a layer that is known to be read, because the layers below it are known, too.
Result<> Readings::set_point_read(Id point, Time at) {
  HF_TRY(auto update, db_.prepare(R"sql(
    WITH RECURSIVE stack (id, parent) AS (
      SELECT layers.id, layers.parent_layer_id
      FROM point_disks JOIN layers ON layers.id = point_disks.layer_id
      WHERE point_disks.point_id = :point AND coalesce(layers.read_at, 0) < :at
      UNION
      SELECT layers.id, layers.parent_layer_id
      FROM stack JOIN layers ON layers.id = stack.parent
      WHERE coalesce(layers.read_at, 0) < :at)
    UPDATE layers SET read_at = :at, sound = 1 WHERE id IN (SELECT id FROM stack))sql"));
  HF_CHECK(update.bind(":point", point).bind(":at", milliseconds(at)).run());
  return {};
}

Result<Readings::Home> Readings::home(Id layer) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT chains.machine_id, chains.repository_id FROM layers JOIN chains ON chains.id = layers.chain_id
    WHERE layers.id = :layer)sql"));
  HF_TRY(const auto home,
         first_row(found.bind(":layer", layer), [](db::Statement& statement) -> Result<Home> {
           Home read;
           Row(statement) >> read.machine >> read.repository;
           return read;
         }));
  if (!home) return fail(ENOENT, "there is no layer with id {}", layer);
  return *home;
}

Result<Readings::Resting> Readings::resting_on(Id layer) {
  const auto on = [&](std::string_view kind, std::string_view kinds) -> Result<std::vector<Id>> {
    HF_TRY(auto found, db_.prepare(fmt::format(R"sql(
      WITH RECURSIVE above (id, disk_id) AS (
        SELECT id, disk_id FROM layers WHERE id = :layer
        UNION ALL
        SELECT layers.id, layers.disk_id FROM above JOIN layers ON layers.parent_layer_id = above.id)
      SELECT DISTINCT {1}.id
      FROM above CROSS JOIN {0}_disks ON {0}_disks.disk_id = above.disk_id AND {0}_disks.layer_id = above.id
      JOIN {1} ON {1}.id = {0}_disks.{0}_id
      WHERE {1}.state = 'committed' ORDER BY {1}.id)sql",
                                               kind, kinds)));
    return all_rows(found.bind(":layer", layer), read_id);
  };
  Resting resting;
  HF_TRY(resting.points, on("point", "points"));
  HF_TRY(resting.copies, on("copy", "copies"));
  return resting;
}

Result<std::vector<Id>> Readings::read_through(Id machine, Id repository) {
  HF_TRY(auto found, db_.prepare(R"sql(
    WITH RECURSIVE read (id, since) AS (
      SELECT layers.id, CASE WHEN layers.sound = 1 THEN layers.read_at END
      FROM chains JOIN layers ON layers.chain_id = chains.id
      WHERE chains.machine_id = :machine AND chains.repository_id = :repository AND layers.parent_layer_id IS NULL
      UNION ALL
      SELECT layers.id, CASE WHEN layers.sound = 1 THEN min(layers.read_at, read.since) END
      FROM read JOIN layers ON layers.parent_layer_id = read.id)
    SELECT points.id
    FROM points JOIN point_disks ON point_disks.point_id = points.id LEFT JOIN read ON read.id = point_disks.layer_id
    WHERE points.machine_id = :machine AND points.repository_id = :repository AND points.state = 'committed'
      AND NOT (coalesce(points.verified_result, '') = 'bad' AND coalesce(points.verified_level, '') = 'compare')
    GROUP BY points.id
    HAVING count(read.since) = count(*) AND (points.verified_at IS NULL OR min(read.since) > points.verified_at)
    ORDER BY points.id)sql"));
  return all_rows(found.bind(":machine", machine).bind(":repository", repository), read_id);
}

Result<std::optional<Time>> Readings::done_until(Id policy, Id repository) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT done_until FROM verify_turns WHERE policy_id = :policy AND repository_id = :repository)sql"));
  return first_row(found.bind(":policy", policy).bind(":repository", repository),
                   [](db::Statement& statement) -> Result<Time> {
                     Time at;
                     Row(statement) >> at;
                     return at;
                   });
}

Result<> Readings::set_done_until(Id policy, Id repository, Time at) {
  HF_TRY(auto put, db_.prepare(R"sql(
    INSERT INTO verify_turns (policy_id, repository_id, done_until)
    SELECT policies.id, repositories.id, :at FROM policies, repositories
    WHERE policies.id = :policy AND repositories.id = :repository
    ON CONFLICT (policy_id, repository_id) DO UPDATE SET done_until = excluded.done_until)sql"));
  HF_CHECK(put.bind(":at", milliseconds(at)).bind(":policy", policy).bind(":repository", repository).run());
  return {};
}

Result<Readings::Total> Readings::of_machine(Id machine) { return total_of(db_, "machines", machine); }

Result<Readings::Total> Readings::of_repository(Id repository) {
  return total_of(db_, "repositories", repository);
}

Result<Readings::Total> Readings::of_all() {
  HF_TRY(auto found,
         db_.prepare("SELECT sum(layer_bytes), sum(sound_bytes), max(last_verified_at) FROM repositories"));
  HF_TRY(const auto total, first_row(found, read_total));
  return total.value_or(Total{});
}

Result<std::vector<Readings::OwnedTotal>> Readings::by_owner() {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT uid, gid, mode, sum(layer_bytes), sum(sound_bytes), max(last_verified_at) FROM machines
    GROUP BY uid, gid, mode)sql"));
  return all_rows(found, [](db::Statement& statement) -> Result<OwnedTotal> {
    OwnedTotal owned;
    Row row(statement);
    row >> owned.ownership.uid >> owned.ownership.gid >> owned.ownership.mode >> owned.total.layer_bytes >>
        owned.total.sound_bytes >> owned.total.last_verified_at;
    HF_CHECK(row.check());
    return owned;
  });
}

}  // namespace holdfast
