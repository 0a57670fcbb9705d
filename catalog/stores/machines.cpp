#include "catalog/stores/machines.h"

#include "catalog/stores/disks.h"
#include "catalog/stores/sources.h"

namespace holdfast {
namespace {

Result<Machine> read_machine(db::Statement& statement) {
  Machine machine;
  MachineDefinition& definition = machine.definition;
  Row row(statement);
  read_object(row, machine, definition.description) >> machine.key >> definition.driver >>
      definition.socket >> machine.source_id >> definition.source >> definition.domain >>
      definition.quiesce >> definition.objective >> definition.bandwidth;
  HF_CHECK(row.check());
  return machine;
}

}  // namespace

Result<Machine> Machines::add(std::string_view name, const Ownership& ownership, Time now) {
  Machine machine;
  HF_TRY(static_cast<Object&>(machine), make(name, ownership, now));
  machine.key = fmt::format("{}-{}", name, random_hex(4));
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT INTO machines (id, name, uid, gid, mode, complete, revision, created_at, changed_at, key, driver)
    VALUES (:id, :name, :uid, :gid, :mode, :complete, :revision, :created_at, :changed_at, :key, :driver)
    )sql"));
  const auto done = bind_object(insert, machine)
                        .bind(":key", machine.key)
                        .bind(":driver", to_word(machine.definition.driver))
                        .run();
  if (!done) return tl::make_unexpected(taken(done.error(), name));
  return machine;
}

Result<Machine> Machines::get(Id id) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT machines.id, machines.name, machines.uid, machines.gid, machines.mode, machines.complete,
           machines.revision, machines.created_at, machines.changed_at, machines.description,
           machines.key, machines.driver, machines.socket, machines.source_id, sources.name, machines.domain,
           machines.quiesce, machines.objective, machines.bandwidth
    FROM machines
    LEFT JOIN sources ON sources.id = machines.source_id
    WHERE machines.id = :id)sql"));
  HF_TRY(auto machine, first_row(found.bind(":id", id), read_machine));
  if (!machine) return tl::make_unexpected(missing(id));
  HF_TRY(machine->definition.tags, texts("tag", id));
  HF_TRY(machine->definition.exclude, texts("exclude", id));
  HF_TRY(machine->definition.disks, Disks(db_).definitions(id));
  return std::move(*machine);
}

Result<> Machines::define(Id id, const MachineDefinition& definition, Time now) {
  std::optional<Id> source;
  if (!definition.source.empty()) {
    HF_TRY(source, Sources(db_).resolve(definition.source));
  }
  HF_CHECK(name_of(id));
  // The schema looks at them when the machine's own row says that it is complete.
  HF_CHECK(Disks(db_).define(id, definition.disks));
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE machines
    SET complete = 1, revision = :revision, changed_at = :now,
        description = :description, driver = :driver, socket = :socket, source_id = :source, domain = :domain,
        quiesce = :quiesce, objective = :objective, bandwidth = :bandwidth
    WHERE id = :id)sql"));
  HF_CHECK(update.bind(":revision", new_id())
               .bind(":now", milliseconds(now))
               .bind(":description", or_null(definition.description))
               .bind(":driver", to_word(definition.driver))
               .bind(":socket", or_null(definition.socket))
               .bind(":source", source)
               .bind(":domain", or_null(definition.domain))
               .bind(":quiesce", to_word(definition.quiesce))
               .bind(":objective", number(definition.objective))
               .bind(":bandwidth", number(definition.bandwidth))
               .bind(":id", id)
               .run());
  HF_CHECK(defined(id, db_.changes() > 0, definition.tags));
  return set_texts("exclude", id, definition.exclude);
}

Result<std::vector<Id>> Machines::to_look_at(int at_most) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id FROM machines
    WHERE objective IS NOT NULL OR prune_warning IS NOT NULL
      OR EXISTS (SELECT 1 FROM leftovers WHERE leftovers.machine_id = machines.id)
      OR EXISTS (SELECT 1 FROM points
                 WHERE points.machine_id = machines.id AND verified_result = 'bad' AND state = 'committed')
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
