#include "catalog/stores/groups.h"

#include "catalog/stores/definition_changes.h"

namespace holdfast {
namespace {

Result<Member> read_member(db::Statement& statement) {
  Member member;
  Row row(statement);
  row >> member.machine_id >> member.machine >> member.enabled;
  return member;
}

}  // namespace

Result<Group> Groups::add(std::string_view name, const Ownership& ownership, Time now) {
  return insert<Group>(name, ownership, now);
}

Result<Group> Groups::get(Id id) { return load<Group>(id); }

Result<> Groups::define(Id id, const GroupDefinition& definition, Time now) {
  return store(id, stored_text(definition), now);
}

Result<> Groups::remove(Id id) {
  HF_TRY(const std::string name, name_of(id));
  HF_TRY(const std::string used_by,
         users("flow", "SELECT name FROM flows WHERE group_id = :id ORDER BY name", id));
  if (!used_by.empty()) return fail(EBUSY, "group '{}' is used by {}", name, used_by);
  return erase(id);
}

Result<std::vector<Member>> Groups::members(Id group) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT machine_id, machines.name, enabled
    FROM group_members JOIN machines ON machines.id = machine_id
    WHERE group_id = :group ORDER BY machines.name)sql"));
  return all_rows(found.bind(":group", group), read_member);
}

Result<> Groups::add_member(Id group, Id machine, Time now) {
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT INTO group_members (group_id, machine_id, enabled) VALUES (:group, :machine, 1))sql"));
  const auto done = insert.bind(":group", group).bind(":machine", machine).run();
  if (!done && done.error().kind == db::Kind::unique) return fail(EEXIST, "the machine is in the group");
  if (!done && done.error().kind == db::Kind::foreign_key)
    return fail(ENOENT, "there is no group with id {}, or no machine with id {}", group, machine);
  HF_CHECK(done);
  return members_changed(group, now);
}

Result<> Groups::remove_member(Id group, Id machine, Time now) {
  HF_TRY(auto remove,
         db_.prepare("DELETE FROM group_members WHERE group_id = :group AND machine_id = :machine"));
  HF_CHECK(remove.bind(":group", group).bind(":machine", machine).run());
  if (db_.changes() == 0) return fail(ENOENT, "the machine is not in the group");
  return members_changed(group, now);
}

Result<> Groups::enable_member(Id group, Id machine, bool enabled, Time now) {
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE group_members SET enabled = :enabled WHERE group_id = :group AND machine_id = :machine)sql"));
  HF_CHECK(update.bind(":enabled", enabled).bind(":group", group).bind(":machine", machine).run());
  if (db_.changes() == 0) return fail(ENOENT, "the machine is not in the group");
  return members_changed(group, now);
}

Result<> Groups::members_changed(Id group, Time now) {
  HF_TRY(auto update,
         db_.prepare("UPDATE groups SET revision = :revision, changed_at = :now WHERE id = :group"));
  HF_CHECK(update.bind(":revision", new_id()).bind(":now", milliseconds(now)).bind(":group", group).run());
  HF_TRY(const std::string name, name_of(group));
  return DefinitionChanges(db_).note(DefinitionKind::group, name);
}

}  // namespace holdfast
