#include "catalog/stores/machines.h"

#include "catalog/stores/disks.h"

namespace holdfast {

Result<Machine> Machines::add(std::string_view name, const Ownership& ownership, Time now) {
  const std::string key = fmt::format("{}-{}", name, random_hex(4));
  HF_TRY(auto machine, insert<Machine>(name, ownership, now, key));
  machine.key = key;
  return machine;
}

Result<Machine> Machines::get(Id id) {
  return load<Machine>(id, ", key", [](Row& row, Machine& machine) { row >> machine.key; });
}

Result<> Machines::define(Id id, const MachineDefinition& definition, Time now) {
  HF_CHECK(store(id, stored_text(definition), now));
  return Disks(db_).define(id, definition.disks);
}

Result<std::vector<Id>> Machines::to_look_at(int at_most) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id FROM machines
    WHERE objective IS NOT NULL OR prune_warning IS NOT NULL
      OR EXISTS (SELECT 1 FROM leftovers WHERE leftovers.machine_id = machines.id)
      OR EXISTS (SELECT 1 FROM points
                 WHERE points.machine_id = machines.id AND verified_result = 'bad' AND state = 'committed')
      OR EXISTS (SELECT 1 FROM copies
                 WHERE copies.machine_id = machines.id AND damaged = 1 AND state = 'committed')
      OR EXISTS (SELECT 1 FROM boot_checks WHERE boot_checks.machine_id = machines.id AND result = 'bad')
    ORDER BY id LIMIT :at_most)sql"));
  return all_rows(found.bind(":at_most", at_most), read_id);
}

Result<std::vector<Id>> Machines::without_flow(int at_most) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id FROM machines
    WHERE complete = 1 AND retired_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM flows
                      WHERE flows.machine_id = machines.id AND flows.enabled = 1 AND from_repository_id IS NULL)
      AND NOT EXISTS (SELECT 1 FROM group_members JOIN flows ON flows.group_id = group_members.group_id
                      WHERE group_members.machine_id = machines.id AND group_members.enabled = 1
                        AND flows.enabled = 1 AND from_repository_id IS NULL)
    ORDER BY id LIMIT :at_most)sql"));
  return all_rows(found.bind(":at_most", at_most), read_id);
}

Result<> Machines::touch(Id id) {
  HF_TRY(auto touch, db_.prepare("UPDATE machines SET revision = :revision WHERE id = :id"));
  HF_CHECK(touch.bind(":revision", new_id()).bind(":id", id).run());
  return {};
}

Result<> Machines::remove(Id id) {
  HF_TRY(const std::string name, name_of(id));
  HF_TRY(const std::string flows,
         users("flow", "SELECT name FROM flows WHERE machine_id = :id ORDER BY name", id));
  HF_TRY(auto points, db_.prepare("SELECT count(*) FROM points WHERE machine_id = :id"));
  HF_TRY(const auto held, first_row(points.bind(":id", id), read_id));

  std::string why;
  if (!flows.empty()) why = fmt::format("is used by {}", flows);
  if (*held > 0)
    why += fmt::format("{}has {} point{}", why.empty() ? "" : " and ", *held, *held == 1 ? "" : "s");
  if (!why.empty()) return fail(EBUSY, "machine '{}' {}", name, why);
  return erase(id);
}

Result<std::vector<Disk>> Machines::disks(Id machine) { return Disks(db_).of_machine(machine); }

Result<> Machines::add_disk(Id machine, std::string_view name) {
  return Disks(db_).add_unconfigured(machine, name);
}

Result<> Machines::set_capacity(Id disk, std::uint64_t capacity) {
  return Disks(db_).set_capacity(disk, capacity);
}

Result<> Machines::set_source_identity(Id disk, std::string_view identity) {
  return Disks(db_).set_source_identity(disk, identity);
}

}  // namespace holdfast
