#include "catalog/stores/flows.h"

#include "catalog/stores/groups.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/policies.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/schedules.h"

namespace holdfast {
namespace {

constexpr std::string_view kMachines = "machines/";
constexpr std::string_view kGroups = "groups/";

// Columns of a flow: its references by id and by name, which follows renames, and its counters.
constexpr std::string_view kColumns = R"sql(,
  machine_id, group_id, repository_id, from_repository_id, schedule_id, policy_id, after_flow_id,
  (SELECT name FROM machines WHERE machines.id = machine_id),
  (SELECT name FROM groups WHERE groups.id = group_id),
  (SELECT name FROM repositories WHERE repositories.id = repository_id),
  (SELECT name FROM repositories WHERE repositories.id = from_repository_id),
  (SELECT name FROM schedules WHERE schedules.id = schedule_id),
  (SELECT name FROM policies WHERE policies.id = policy_id),
  (SELECT name FROM flows AS earlier WHERE earlier.id = flows.after_flow_id),
  total_executions, successful_executions, warned_executions, failed_executions, finished_executions,
  total_milliseconds)sql";

void read_columns(Row& row, Flow& flow) {
  FlowDefinition& definition = flow.definition;
  std::string machine, group;
  row >> flow.machine_id >> flow.group_id >> flow.repository_id >> flow.from_repository_id >>
      flow.schedule_id >> flow.policy_id >> flow.after_flow_id >> machine >> group >> definition.repository >>
      definition.from >> definition.schedule >> definition.policy >> definition.after >>
      flow.total_executions >> flow.successful_executions >> flow.warned_executions >>
      flow.failed_executions >> flow.finished_executions >> flow.total_milliseconds;
  if (flow.machine_id) definition.target = fmt::format("{}{}", kMachines, machine);
  if (flow.group_id) definition.target = fmt::format("{}{}", kGroups, group);
}

// References of a definition, as ids.
struct References {
  std::optional<Id> machine, group, repository, from, schedule, policy, after;
};

template <class Store>
Result<std::optional<Id>> resolve_optional(db::Connection& db, std::string_view name) {
  if (name.empty()) return std::nullopt;
  HF_TRY(const Id id, Store(db).resolve(name));
  return id;
}

Result<References> resolve_all(db::Connection& db, const FlowDefinition& definition) {
  References found;
  const std::string_view target = definition.target;
  if (target.starts_with(kMachines)) {
    HF_TRY(found.machine, Machines(db).resolve(target.substr(kMachines.size())));
  } else if (target.starts_with(kGroups)) {
    HF_TRY(found.group, Groups(db).resolve(target.substr(kGroups.size())));
  } else {
    return fail(EINVAL, "the target is '{}'; write it as machines/NAME or groups/NAME", target);
  }
  HF_TRY(found.repository, Repositories(db).resolve(definition.repository));
  HF_TRY(found.from, resolve_optional<Repositories>(db, definition.from));
  HF_TRY(found.schedule, resolve_optional<Schedules>(db, definition.schedule));
  HF_TRY(found.policy, resolve_optional<Policies>(db, definition.policy));
  HF_TRY(found.after, resolve_optional<Flows>(db, definition.after));
  return found;
}

}  // namespace

Result<Flow> Flows::add(std::string_view name, const Ownership& ownership, Time now) {
  return insert<Flow>(name, ownership, now);
}

Result<Flow> Flows::get(Id id) { return load<Flow>(id, kColumns, read_columns); }

// Makes the revisions of its schedule and policy grow, because their status files name the flows that use
// them.
Result<> Flows::touch_used(Id id) {
  for (const char* used :
       {"UPDATE schedules SET revision = :revision WHERE id = (SELECT schedule_id FROM flows WHERE id = :id)",
        "UPDATE policies SET revision = :revision WHERE id = (SELECT policy_id FROM flows WHERE id = :id)"}) {
    HF_TRY(auto touch, db_.prepare(used));
    HF_CHECK(touch.bind(":revision", new_id()).bind(":id", id).run());
  }
  return {};
}

Result<> Flows::define(Id id, const FlowDefinition& definition, Time now) {
  HF_TRY(const References to, resolve_all(db_, definition));
  if (to.after) HF_CHECK(check_chain(id, *to.after));
  HF_CHECK(touch_used(id));
  constexpr std::string_view kReferences = R"sql(,
    machine_id = :machine, group_id = :group, repository_id = :repository, from_repository_id = :from,
    schedule_id = :schedule, policy_id = :policy, after_flow_id = :after)sql";
  HF_CHECK(store(id, stored_text(definition), now, kReferences, [&](db::Statement& update) {
    update.bind(":machine", to.machine)
        .bind(":group", to.group)
        .bind(":repository", to.repository)
        .bind(":from", to.from)
        .bind(":schedule", to.schedule)
        .bind(":policy", to.policy)
        .bind(":after", to.after);
  }));
  return touch_used(id);
}

// Follows `after` back to the first flow; EINVAL when this flow is on the way.
Result<> Flows::check_chain(Id id, Id after) {
  struct Link {
    std::string name;
    std::optional<Id> after;
  };
  HF_TRY(const std::string name, name_of(id));
  std::string way = fmt::format("flow '{}'", name);
  for (std::optional<Id> at = after; at;) {
    HF_TRY(auto found, db_.prepare("SELECT name, after_flow_id FROM flows WHERE id = :id"));
    HF_TRY(const auto link, first_row(found.bind(":id", *at), [](db::Statement& row) -> Result<Link> {
             Link read;
             Row(row) >> read.name >> read.after;
             return read;
           }));
    if (!link) return tl::make_unexpected(missing(*at));
    way += fmt::format(" after '{}'", link->name);
    if (*at == id)
      return fail(EINVAL, "field \"after\" makes a circle of flows that wait for each other: {}", way);
    at = link->after;
  }
  return {};
}

Result<> Flows::remove(Id id) {
  HF_TRY(const std::string name, name_of(id));
  HF_TRY(auto active, db_.prepare(R"sql(
    SELECT name FROM executions WHERE flow_id = :id AND status IN ('pending', 'running'))sql"));
  HF_TRY(const auto running, first_row(active.bind(":id", id), read_text));
  if (running) return fail(EBUSY, "flow '{}' has execution '{}' running", name, *running);
  HF_CHECK(check_unused("after", "after_flow_id", id));
  HF_CHECK(touch_used(id));
  return erase(id);
}

Result<std::vector<Id>> Flows::machines(const Flow& flow) {
  std::vector<Id> machines;
  if (flow.machine_id) machines.push_back(*flow.machine_id);
  if (flow.group_id) {
    HF_TRY(const auto members, Groups(db_).members(*flow.group_id));
    for (const Member& member : members) machines.push_back(member.machine_id);
  }
  return machines;
}

Result<std::vector<Named>> Flows::of_schedule(Id schedule) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id, name FROM flows WHERE schedule_id = :schedule AND complete = 1 ORDER BY name)sql"));
  return all_rows(found.bind(":schedule", schedule), read_named);
}

Result<std::vector<Named>> Flows::of_machine(Id machine) {
  HF_TRY(auto found, db_.prepare("SELECT id, name FROM flows WHERE machine_id = :machine ORDER BY name"));
  return all_rows(found.bind(":machine", machine), read_named);
}

Result<std::vector<Id>> Flows::to_look_at(int at_most) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id FROM flows
    WHERE complete = 1 AND enabled = 1
      AND ((schedule_id IS NULL AND after_flow_id IS NULL)
           OR (SELECT status FROM executions
               WHERE executions.flow_id = flows.id AND completed_at IS NOT NULL
               ORDER BY executions.id DESC LIMIT 1) IN ('warning', 'error'))
    ORDER BY id LIMIT :at_most)sql"));
  return all_rows(found.bind(":at_most", at_most), read_id);
}

}  // namespace holdfast
