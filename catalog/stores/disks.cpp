#include "catalog/stores/disks.h"

#include "catalog/stores/row.h"

namespace holdfast {
namespace {

Result<Disk> read_disk(db::Statement& statement) {
  Disk disk;
  Row row(statement);
  row >> disk.id >> disk.machine_id >> disk.name >> disk.configured >> disk.capacity >> disk.key >>
      disk.source_identity;
  return disk;
}

Result<DiskDefinition> read_definition(db::Statement& statement) {
  DiskDefinition definition;
  Row row(statement);
  row >> definition.name >> definition.node >> definition.uri >> definition.bitmap >>
      definition.trust_bitmap >> definition.path;
  return definition;
}

}  // namespace

Result<std::vector<Disk>> Disks::of_machine(Id machine) {
  HF_TRY(auto disks, db_.prepare(R"sql(
    SELECT id, machine_id, name, configured, capacity, key, source_identity FROM disks
    WHERE machine_id = :machine
    ORDER BY configured DESC, position, name)sql"));
  return all_rows(disks.bind(":machine", machine), read_disk);
}

Result<std::vector<DiskDefinition>> Disks::definitions(Id machine) {
  HF_TRY(auto disks, db_.prepare(R"sql(
    SELECT name, node, uri, bitmap, trust_bitmap, path FROM disks
    WHERE machine_id = :machine AND position IS NOT NULL
    ORDER BY position)sql"));
  return all_rows(disks.bind(":machine", machine), read_definition);
}

Result<> Disks::define(Id machine, const std::vector<DiskDefinition>& definitions) {
  HF_TRY(auto retire,
         db_.prepare("UPDATE disks SET configured = 0, position = NULL WHERE machine_id = :machine"));
  HF_CHECK(retire.bind(":machine", machine).run());

  HF_TRY(auto put, db_.prepare(R"sql(
    INSERT INTO disks (id, machine_id, name, key, node, uri, bitmap, trust_bitmap, path, configured, position)
    VALUES (:id, :machine, :name, :key, :node, :uri, :bitmap, :trust_bitmap, :path, 1, :position)
    ON CONFLICT (machine_id, name)
    DO UPDATE SET node = excluded.node, uri = excluded.uri, bitmap = excluded.bitmap,
                  trust_bitmap = excluded.trust_bitmap, path = excluded.path, configured = 1,
                  position = excluded.position)sql"));
  for (std::size_t i = 0; i < definitions.size(); ++i) {
    const DiskDefinition& disk = definitions[i];
    HF_CHECK(put.bind(":id", new_id())
                 .bind(":machine", machine)
                 .bind(":name", disk.name)
                 .bind(":key", fmt::format("{}-{}", disk.name, random_hex(4)))
                 .bind(":node", or_null(disk.node))
                 .bind(":uri", or_null(disk.uri))
                 .bind(":bitmap", or_null(disk.bitmap))
                 .bind(":trust_bitmap", disk.trust_bitmap)
                 .bind(":path", or_null(disk.path))
                 .bind(":position", static_cast<std::int64_t>(i))
                 .run());
  }
  return prune(machine);
}

Result<> Disks::add_unconfigured(Id machine, std::string_view name) {
  HF_TRY(auto add, db_.prepare(R"sql(
    INSERT INTO disks (id, machine_id, name, key, trust_bitmap, configured)
    VALUES (:id, :machine, :name, :key, 0, 0)
    ON CONFLICT (machine_id, name) DO NOTHING)sql"));
  HF_CHECK(add.bind(":id", new_id())
               .bind(":machine", machine)
               .bind(":name", name)
               .bind(":key", fmt::format("{}-{}", name, random_hex(4)))
               .run());
  return {};
}

Result<> Disks::prune(Id machine) {
  HF_TRY(auto prune, db_.prepare(R"sql(
    DELETE FROM disks
    WHERE machine_id = :machine AND configured = 0
      AND NOT EXISTS (SELECT 1 FROM point_disks WHERE point_disks.disk_id = disks.id)
      AND NOT EXISTS (SELECT 1 FROM copy_disks WHERE copy_disks.disk_id = disks.id)
      AND NOT EXISTS (SELECT 1 FROM layers WHERE layers.disk_id = disks.id)
      AND NOT EXISTS (SELECT 1 FROM points
                      WHERE points.machine_id = disks.machine_id AND points.state = 'writing'))sql"));
  HF_CHECK(prune.bind(":machine", machine).run());
  return {};
}

Result<> Disks::set_capacity(Id disk, std::uint64_t capacity) {
  HF_TRY(auto update, db_.prepare("UPDATE disks SET capacity = :capacity WHERE id = :id"));
  HF_CHECK(update.bind(":capacity", static_cast<std::int64_t>(capacity)).bind(":id", disk).run());
  if (db_.changes() == 0) return fail(ENOENT, "there is no disk with id {}", disk);
  return {};
}

Result<> Disks::set_source_identity(Id disk, std::string_view identity) {
  HF_TRY(auto update, db_.prepare("UPDATE disks SET source_identity = :identity WHERE id = :id"));
  HF_CHECK(update.bind(":identity", or_null(identity)).bind(":id", disk).run());
  if (db_.changes() == 0) return fail(ENOENT, "there is no disk with id {}", disk);
  return {};
}

}  // namespace holdfast
