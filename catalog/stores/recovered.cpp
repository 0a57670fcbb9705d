#include "catalog/stores/recovered.h"

#include <algorithm>

#include "catalog/stores/copies.h"
#include "catalog/stores/handing_over.h"
#include "catalog/stores/layers.h"
#include "catalog/stores/points.h"
#include "catalog/stores/readings.h"
#include "catalog/stores/row.h"

namespace holdfast {

Result<std::optional<Id>> Recovered::find(Id machine, std::string_view name) {
  HF_TRY(auto found, db_.prepare("SELECT id FROM points WHERE machine_id = :machine AND name = :name"));
  return first_row(found.bind(":machine", machine).bind(":name", name), read_id);
}

Result<bool> Recovered::lies_in(Id point, Id repository) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id FROM points WHERE id = :point AND repository_id = :repository
    UNION ALL SELECT id FROM copies WHERE point_id = :point AND repository_id = :repository)sql"));
  HF_TRY(const auto row, first_row(found.bind(":point", point).bind(":repository", repository), read_id));
  return row.has_value();
}

Result<bool> Recovered::is_captured(Id machine) {
  HF_TRY(auto found, db_.prepare("SELECT id FROM points WHERE machine_id = :machine AND state = 'writing'"));
  HF_TRY(const auto row, first_row(found.bind(":machine", machine), read_id));
  return row.has_value();
}

Result<std::optional<Id>> Recovered::known_flow(std::optional<Id> flow) {
  HF_TRY(auto found, db_.prepare("SELECT id FROM flows WHERE id = :id"));
  return first_row(found.bind(":id", flow), read_id);
}

Result<Id> Recovered::free_id(std::string_view table, Id wanted) {
  HF_TRY(auto found, db_.prepare(fmt::format("SELECT id FROM {} WHERE id = :id", table)));
  for (Id id = wanted; id > 0; ++id) {
    HF_TRY(const auto taken, first_row(found.bind(":id", id), read_id));
    if (!taken) return id;
  }
  return new_id();
}

Result<Id> Recovered::add_chain(Chain chain) {
  HF_TRY(chain.id, free_id("chains", chain.id));
  HF_CHECK(Points(db_).add_chain(chain));
  return chain.id;
}

Result<Point> Recovered::add(Point point, const std::vector<Layer>& layers) {
  Points points(db_);
  HF_TRY(point.id, free_id("points", point.id));
  HF_TRY(point.flow_id, known_flow(point.flow_id));
  HF_CHECK(points.add(point));
  HF_CHECK(points.commit(point, layers));
  HF_CHECK(set_facts(point));
  if (point.state == PointState::retired) HF_CHECK(count_points(db_, point, -1, 0, point.time));
  return point;
}

Result<> Recovered::set_facts(const Point& point) {
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE points
    SET state = :state, flow_id = :flow, carried = :carried, cbt_reset = :reset,
        verified_at = :at, verified_level = :level, verified_result = :result
    WHERE id = :id)sql"));
  const auto& verified = point.verified;
  HF_CHECK(update.bind(":state", to_word(point.state))
               .bind(":flow", point.flow_id)
               .bind(":carried", point.carried)
               .bind(":reset", point.cbt_reset)
               .bind(":at", verified ? std::optional{milliseconds(verified->at)} : std::nullopt)
               .bind(":level", verified ? std::optional{to_word(verified->level)} : std::nullopt)
               .bind(":result", verified ? std::optional{to_word(verified->result)} : std::nullopt)
               .bind(":id", point.id)
               .run());
  const bool was_read =
      verified && verified->result == VerdictResult::good && verified->level != VerifyLevel::quick;
  return was_read ? Readings(db_).set_point_read(point.id, verified->at) : Result<>();
}

Result<> Recovered::add(const Copy& copy, const std::vector<Layer>& layers) {
  Copies copies(db_);
  HF_CHECK(copies.add(copy));
  HF_CHECK(copies.commit(copy, layers));
  HF_CHECK(copies.set_damaged(copy.id, copy.damaged));
  if (copy.state != PointState::retired) return {};
  HF_TRY(auto update, db_.prepare("UPDATE copies SET state = 'retired' WHERE id = :id"));
  HF_CHECK(update.bind(":id", copy.id).run());
  return count_in_repository(db_, copy.repository_id, -1, 0, copy.created_at);
}

Result<std::optional<Id>> Recovered::machine_of(std::string_view key) {
  HF_TRY(auto found, db_.prepare("SELECT id FROM machines WHERE key = :key"));
  return first_row(found.bind(":key", key), read_id);
}

Result<std::optional<Id>> Recovered::repository_of(std::string_view marker) {
  HF_TRY(auto found, db_.prepare("SELECT id FROM repositories WHERE marker = :marker ORDER BY id"));
  return first_row(found.bind(":marker", marker), read_id);
}

Result<> Recovered::set_key(Id machine, std::string_view key) {
  HF_TRY(auto update, db_.prepare("UPDATE machines SET key = :key WHERE id = :id"));
  HF_CHECK(update.bind(":key", key).bind(":id", machine).run());
  return {};
}

Result<Id> Recovered::set_flow_id(Id flow, Id wanted) {
  HF_TRY(const Id id, free_id("flows", wanted));
  if (id != wanted) return flow;
  HF_TRY(auto update, db_.prepare("UPDATE flows SET id = :wanted WHERE id = :id"));
  HF_CHECK(update.bind(":wanted", wanted).bind(":id", flow).run());
  return wanted;
}

Result<> Recovered::set_commits(Id repository, std::int64_t commits) {
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE repositories SET commits = max(commits, :commits), missed_commits = NULL, revision = :revision
    WHERE id = :id)sql"));
  HF_CHECK(update.bind(":commits", commits).bind(":revision", new_id()).bind(":id", repository).run());
  return {};
}

Result<> Recovered::set_layer(const Layer& layer, const std::string& content_sha256) {
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE layers
    SET image_id = :image_id, parent_layer_id = :parent, file_bytes = :bytes, punched_under = 0,
        merging_image_id = NULL, merging_onto = NULL, read_at = NULL, sound = 0
    WHERE id = :id)sql"));
  HF_CHECK(update.bind(":image_id", layer.image_id)
               .bind(":parent", layer.parent_layer_id)
               .bind(":bytes", number(layer.file_bytes))
               .bind(":id", layer.id)
               .run());
  HF_TRY(auto points, db_.prepare(R"sql(
    UPDATE point_disks SET sums_sha256 = :sums, content_sha256 = :content
    WHERE disk_id = :disk AND layer_id = :layer)sql"));
  HF_CHECK(points.bind(":sums", or_null(layer.sums_sha256))
               .bind(":content", or_null(content_sha256))
               .bind(":disk", layer.disk_id)
               .bind(":layer", layer.id)
               .run());
  HF_TRY(
      auto copies,
      db_.prepare("UPDATE copy_disks SET sums_sha256 = :sums WHERE disk_id = :disk AND layer_id = :layer"));
  HF_CHECK(copies.bind(":sums", or_null(layer.sums_sha256))
               .bind(":disk", layer.disk_id)
               .bind(":layer", layer.id)
               .run());
  return {};
}

Result<> Recovered::retire(Id id, Id repository, Time now) {
  HF_TRY(const Point point, Points(db_).get(id));
  if (point.repository_id == repository) {
    return point.state == PointState::committed ? leave_to_heir(db_, point, now) : Result<>();
  }
  HF_TRY(auto copies, db_.prepare(R"sql(
    UPDATE copies SET state = 'retired'
    WHERE point_id = :point AND repository_id = :repository AND state = 'committed')sql"));
  HF_CHECK(copies.bind(":point", id).bind(":repository", repository).run());
  return db_.changes() == 0 ? Result<>() : count_in_repository(db_, repository, -1, 0, now);
}

Result<> Recovered::take_home(Id id, Id copy_id, const Point& home, Time now) {
  HF_TRY(const Point away, Points(db_).get(id));
  HF_TRY(const Copy copy, Copies(db_).get(copy_id));
  HF_CHECK(hand_over(db_, away, copy, now));
  HF_TRY(auto update,
         db_.prepare("UPDATE copies SET state = 'committed', damaged = :damaged WHERE id = :id"));
  HF_CHECK(update.bind(":damaged", away.verified && away.verified->result == VerdictResult::bad)
               .bind(":id", copy_id)
               .run());
  HF_CHECK(count_in_repository(db_, away.repository_id, 1, 0, now));
  Point facts = home;
  facts.id = id;
  HF_TRY(facts.flow_id, known_flow(home.flow_id));
  facts.state = away.state;
  HF_CHECK(set_facts(facts));
  HF_TRY(auto disk, db_.prepare(R"sql(
    UPDATE point_disks SET change_id = :change, content_sha256 = :content WHERE point_id = :point AND name = :name)sql"));
  for (const PointDisk& each : home.disks)
    HF_CHECK(disk.bind(":change", or_null(each.change_id))
                 .bind(":content", or_null(each.content_sha256))
                 .bind(":point", id)
                 .bind(":name", each.name)
                 .run());
  return {};
}

Result<> Recovered::take_over(Id id, Id copy_id, Time now) {
  HF_TRY(const Point gone, Points(db_).get(id));
  HF_TRY(const Copy copy, Copies(db_).get(copy_id));
  HF_CHECK(hand_over(db_, gone, copy, now));
  HF_TRY(auto update, db_.prepare("UPDATE points SET state = 'committed' WHERE id = :id"));
  HF_CHECK(update.bind(":id", id).run());
  // A retired point is counted nowhere, and was counted out once more.
  HF_CHECK(count_in_repository(db_, gone.repository_id, 1, 0, now));
  return count_in_machine(db_, gone.machine_id, 1, 0, now);
}

Result<std::optional<Time>> recovered_at(db::Connection& db) {
  HF_TRY(auto found, db.prepare("SELECT recovered_at FROM identity WHERE recovered_at IS NOT NULL"));
  return first_row(found, [](db::Statement& statement) -> Result<Time> {
    Time at;
    Row(statement) >> at;
    return at;
  });
}

Result<> set_recovered_at(db::Connection& db, std::optional<Time> at) {
  HF_TRY(auto update, db.prepare("UPDATE identity SET recovered_at = :at"));
  HF_CHECK(update.bind(":at", milliseconds(at)).run());
  return {};
}

}  // namespace holdfast
