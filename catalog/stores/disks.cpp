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

}  // namespace

Result<std::vector<Disk>> Disks::of_machine(Id machine) {
  HF_TRY(auto disks, db_.prepare(R"sql(
    SELECT id, machine_id, name, configured, capacity, key, source_identity FROM disks
    WHERE machine_id = :machine
    ORDER BY configured DESC, position, name)sql"));
  return all_rows(disks.bind(":machine", machine), read_disk);
}

Result<> Disks::define(Id machine, const std::vector<DiskDefinition>& definitions) {
  HF_TRY(auto retire,
         db_.prepare("UPDATE disks SET configured = 0, position = NULL WHERE machine_id = :machine"));
  HF_CHECK(retire.bind(":machine", machine).run());

  HF_TRY(auto put, db_.prepare(R"sql(
    INSERT INTO disks (id, machine_id, name, key, configured, position)
    VALUES (:id, :machine, :name, :key, 1, :position)
    ON CONFLICT (machine_id, name) DO UPDATE SET configured = 1, position = excluded.position)sql"));
  for (std::size_t i = 0; i < definitions.size(); ++i) {
    const std::string& name = definitions[i].name;
    HF_CHECK(put.bind(":id", new_id())
                 .bind(":machine", machine)
                 .bind(":name", name)
                 .bind(":key", fmt::format("{}-{}", name, random_hex(4)))
                 .bind(":position", static_cast<std::int64_t>(i))
                 .run());
  }
  return prune(machine);
}

Result<> Disks::add_unconfigured(Id machine, std::string_view name) {
  HF_TRY(auto add, db_.prepare(R"sql(
    INSERT INTO disks (id, machine_id, name, key, configured)
    VALUES (:id, :machine, :name, :key, 0)
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
