#include "catalog/stores/machines.h"

#include "catalog/stores/disks.h"
#include "catalog/stores/objects.h"

namespace holdfast {
namespace {

constexpr Objects::Kind kKind{"machine", "machines"};

Result<Machine> read_machine(db::Statement& statement) {
  Machine machine;
  Row row(statement);
  read_object(row, machine, machine.definition.description) >> machine.key >> machine.definition.driver >>
      machine.definition.socket;
  HF_CHECK(row.check());
  return machine;
}

}  // namespace

Result<Machine> Machines::add(std::string_view name, const Ownership& ownership, Time now) {
  Machine machine;
  HF_TRY(static_cast<Object&>(machine), Objects(db_, kKind).make(name, ownership, now));
  machine.key = fmt::format("{}-{}", name, random_hex(4));
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT INTO machines (id, name, uid, gid, mode, complete, revision, created_at, changed_at, key, driver)
    VALUES (:id, :name, :uid, :gid, :mode, :complete, :revision, :created_at, :changed_at, :key, :driver)
    )sql"));
  const auto done = bind_object(insert, machine)
                        .bind(":key", machine.key)
                        .bind(":driver", to_word(machine.definition.driver))
                        .run();
  if (!done) return tl::make_unexpected(Objects(db_, kKind).taken(done.error(), name));
  return machine;
}

Result<Machine> Machines::get(Id id) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id, name, uid, gid, mode, complete, revision, created_at, changed_at, description,
           key, driver, socket
    FROM machines WHERE id = :id)sql"));
  HF_TRY(auto machine, first_row(found.bind(":id", id), read_machine));
  if (!machine) return tl::make_unexpected(Objects(db_, kKind).missing(id));
  HF_TRY(machine->definition.tags, Objects(db_, kKind).tags(id));
  HF_TRY(machine->definition.disks, Disks(db_).definitions(id));
  return std::move(*machine);
}

Result<std::optional<Id>> Machines::find(std::string_view name) { return Objects(db_, kKind).find(name); }

Result<std::vector<Named>> Machines::list() { return Objects(db_, kKind).list(); }

Result<> Machines::rename(Id id, std::string_view name, Time now) {
  return Objects(db_, kKind).rename(id, name, now);
}

Result<> Machines::define(Id id, const MachineDefinition& definition, Time now) {
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE machines
    SET complete = 1, revision = :revision, changed_at = :now,
        description = :description, driver = :driver, socket = :socket
    WHERE id = :id)sql"));
  HF_CHECK(update.bind(":revision", new_id())
               .bind(":now", milliseconds(now))
               .bind(":description", or_null(definition.description))
               .bind(":driver", to_word(definition.driver))
               .bind(":socket", or_null(definition.socket))
               .bind(":id", id)
               .run());
  if (db_.changes() == 0) return tl::make_unexpected(Objects(db_, kKind).missing(id));
  HF_CHECK(Objects(db_, kKind).set_tags(id, definition.tags));
  return Disks(db_).define(id, definition.disks);
}

Result<> Machines::remove(Id id) {
  HF_TRY(const std::string name, Objects(db_, kKind).name_of(id));
  HF_TRY(auto flows, db_.prepare("SELECT name FROM flows WHERE machine_id = :id ORDER BY name"));
  HF_TRY(const auto users, all_rows(flows.bind(":id", id), read_text));
  HF_TRY(auto points, db_.prepare("SELECT count(*) FROM points WHERE machine_id = :id"));
  HF_TRY(const auto held, first_row(points.bind(":id", id), read_id));

  std::string why;
  if (!users.empty()) why = fmt::format("is used by flow {}", quoted_list(users));
  if (*held > 0)
    why += fmt::format("{}has {} point{}", why.empty() ? "" : " and ", *held, *held == 1 ? "" : "s");
  if (!why.empty()) return fail(EBUSY, "machine '{}' {}", name, why);

  HF_TRY(auto remove, db_.prepare("DELETE FROM machines WHERE id = :id"));
  HF_CHECK(remove.bind(":id", id).run());
  return {};
}

Result<std::vector<Disk>> Machines::disks(Id machine) { return Disks(db_).of_machine(machine); }

Result<> Machines::set_capacity(Id disk, std::uint64_t capacity) {
  return Disks(db_).set_capacity(disk, capacity);
}

}  // namespace holdfast
