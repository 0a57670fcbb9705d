#include "catalog/stores/layers.h"

#include "catalog/stores/repository_sizes.h"
#include "catalog/stores/row.h"

namespace holdfast {
namespace {

Result<> count(db::Connection& db, std::string_view table, Id id, int points, std::int64_t bytes, Time at) {
  HF_TRY(auto update, db.prepare(fmt::format(
                          "UPDATE {} SET points = points + :points, bytes_stored = bytes_stored + :bytes, "
                          "changed_at = CASE WHEN changed_at < :at THEN :at ELSE changed_at END, "
                          "revision = :revision WHERE id = :id",
                          table)));
  HF_CHECK(update.bind(":points", points)
               .bind(":bytes", bytes)
               .bind(":at", milliseconds(at))
               .bind(":revision", new_id())
               .bind(":id", id)
               .run());
  return {};
}

}  // namespace

Result<> insert_layers(db::Connection& db, const std::vector<Layer>& layers) {
  HF_TRY(auto insert, db.prepare(R"sql(
    INSERT INTO layers (id, chain_id, disk_id, parent_layer_id, file, image_id, file_bytes)
    VALUES (:id, :chain, :disk, :parent, :file, :image_id, :file_bytes))sql"));
  for (const Layer& layer : layers)
    HF_CHECK(insert.bind(":id", layer.id)
                 .bind(":chain", layer.chain_id)
                 .bind(":disk", layer.disk_id)
                 .bind(":parent", layer.parent_layer_id)
                 .bind(":file", layer.file)
                 .bind(":image_id", layer.image_id)
                 .bind(":file_bytes", number(layer.file_bytes))
                 .run());
  return {};
}

Result<> remove_unused_layers(db::Connection& db, const std::vector<Id>& layers) {
  HF_TRY(auto remove, db.prepare(R"sql(
    DELETE FROM layers
    WHERE id = :id
      AND NOT EXISTS (SELECT 1 FROM point_disks
                      WHERE point_disks.disk_id = layers.disk_id AND point_disks.layer_id = layers.id)
      AND NOT EXISTS (SELECT 1 FROM copy_disks
                      WHERE copy_disks.disk_id = layers.disk_id AND copy_disks.layer_id = layers.id))sql"));
  for (const Id layer : layers) HF_CHECK(remove.bind(":id", layer).run());
  return {};
}

Result<> remove_empty_chain(db::Connection& db, Id chain) {
  HF_TRY(auto remove, db.prepare(R"sql(
    DELETE FROM chains
    WHERE id = :chain
      AND NOT EXISTS (SELECT 1 FROM points WHERE points.chain_id = chains.id)
      AND NOT EXISTS (SELECT 1 FROM copies WHERE copies.chain_id = chains.id)
      AND NOT EXISTS (SELECT 1 FROM layers WHERE layers.chain_id = chains.id))sql"));
  HF_CHECK(remove.bind(":chain", chain).run());
  return {};
}

Result<> count_in_machine(db::Connection& db, Id machine, int points, std::int64_t bytes, Time at) {
  return count(db, "machines", machine, points, bytes, at);
}

Result<> count_in_repository(db::Connection& db, Id repository, int points, std::int64_t bytes, Time at) {
  HF_CHECK(count(db, "repositories", repository, points, bytes, at));
  return RepositorySizes(db).note(repository, at);
}

Result<> count_points(db::Connection& db, const Point& point, int points, std::int64_t bytes, Time at) {
  HF_CHECK(count_in_machine(db, point.machine_id, points, bytes, at));
  return count_in_repository(db, point.repository_id, points, bytes, at);
}

}  // namespace holdfast
