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

Result<Flow> read_flow(db::Statement& statement) {
  Flow flow;
  FlowDefinition& definition = flow.definition;
  std::string machine, group;
  Row row(statement);
  read_object(row, flow, definition.description) >> definition.type >> flow.machine_id >> flow.group_id >>
      flow.repository_id >> flow.from_repository_id >> flow.schedule_id >> flow.policy_id >>
      flow.after_flow_id >> machine >> group >> definition.repository >> definition.from >>
      definition.schedule >> definition.policy >> definition.after >> definition.enabled >>
      definition.overlap >> definition.timeout >> definition.stall >> definition.priority >>
      definition.only_if >> definition.after_when >> flow.total_executions >> flow.successful_executions >>
      flow.warned_executions >> flow.failed_executions >> flow.finished_executions >> flow.total_milliseconds;
  HF_CHECK(row.check());
  if (flow.machine_id) definition.target = fmt::format("{}{}", kMachines, machine);
  if (flow.group_id) definition.target = fmt::format("{}{}", kGroups, group);
  return flow;
}

db::Statement& bind_settings(db::Statement& statement, const FlowDefinition& definition) {
  return statement.bind(":type", to_word(definition.type))
      .bind(":enabled", definition.enabled)
      .bind(":overlap", to_word(definition.overlap))
      .bind(":after_when", to_word(definition.after_when))
      .bind(":timeout", number(definition.timeout))
      .bind(":stall", number(definition.stall))
      .bind(":priority", definition.priority);
}

// What a definition names, as ids.
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
  Flow flow;
  HF_TRY(static_cast<Object&>(flow), make(name, ownership, now));
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT INTO flows (id, name, uid, gid, mode, complete, revision, created_at, changed_at,
                       type, enabled, overlap, after_when, timeout, stall, priority)
    VALUES (:id, :name, :uid, :gid, :mode, :complete, :revision, :created_at, :changed_at,
            :type, :enabled, :overlap, :after_when, :timeout, :stall, :priority))sql"));
  const auto done = bind_settings(bind_object(insert, flow), flow.definition).run();
  if (!done) return tl::make_unexpected(taken(done.error(), name));
  return flow;
}

Result<Flow> Flows::get(Id id) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT flows.id, flows.name, flows.uid, flows.gid, flows.mode, flows.complete, flows.revision,
           flows.created_at, flows.changed_at, flows.description,
           flows.type, flows.machine_id, flows.group_id, flows.repository_id, flows.from_repository_id,
           flows.schedule_id, flows.policy_id, flows.after_flow_id, machines.name, groups.name,
           repositories.name, sources.name, schedules.name, policies.name, earlier.name, flows.enabled,
           flows.overlap, flows.timeout, flows.stall, flows.priority, flows.only_if, flows.after_when,
           flows.total_executions, flows.successful_executions, flows.warned_executions,
           flows.failed_executions, flows.finished_executions, flows.total_milliseconds
    FROM flows
    LEFT JOIN machines ON machines.id = flows.machine_id
    LEFT JOIN groups ON groups.id = flows.group_id
    LEFT JOIN repositories ON repositories.id = flows.repository_id
    LEFT JOIN repositories AS sources ON sources.id = flows.from_repository_id
    LEFT JOIN schedules ON schedules.id = flows.schedule_id
    LEFT JOIN policies ON policies.id = flows.policy_id
    LEFT JOIN flows AS earlier ON earlier.id = flows.after_flow_id
    WHERE flows.id = :id)sql"));
  HF_TRY(auto flow, first_row(found.bind(":id", id), read_flow));
  if (!flow) return tl::make_unexpected(missing(id));
  HF_TRY(flow->definition.tags, texts("tag", id));
  HF_TRY(flow->definition.hooks, texts("hook", id));
  HF_TRY(flow->definition.recipients, texts("recipient", id));
  return std::move(*flow);
}

// Schedules and policies tell which flows use them.
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
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE flows
    SET complete = 1, revision = :revision, changed_at = :now, description = :description, type = :type,
        machine_id = :machine, group_id = :group, repository_id = :repository, from_repository_id = :from,
        schedule_id = :schedule, policy_id = :policy, after_flow_id = :after, enabled = :enabled,
        overlap = :overlap, timeout = :timeout, stall = :stall, priority = :priority, only_if = :only_if,
        after_when = :after_when
    WHERE id = :id)sql"));
  HF_CHECK(bind_settings(update, definition)
               .bind(":revision", new_id())
               .bind(":now", milliseconds(now))
               .bind(":description", or_null(definition.description))
               .bind(":machine", to.machine)
               .bind(":group", to.group)
               .bind(":repository", to.repository)
               .bind(":from", to.from)
               .bind(":schedule", to.schedule)
               .bind(":policy", to.policy)
               .bind(":after", to.after)
               .bind(":only_if", or_null(definition.only_if))
               .bind(":id", id)
               .run());
  HF_CHECK(defined(id, db_.changes() > 0, definition.tags));
  HF_CHECK(set_texts("hook", id, definition.hooks));
  HF_CHECK(set_texts("recipient", id, definition.recipients));
  return touch_used(id);
}

// From the flow before this one back to the first of them: this one may not be among them.
Result<> Flows::check_chain(Id id, Id after) {
  struct Link {
    std::string name;
    std::optional<Id> after;
  };
  HF_TRY(const std::string name, name_of(id));
  std::string way = fmt::format("'{}'", name);
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
  HF_CHECK(touch_used(id));
  return erase(id);
}

Result<std::vector<Named>> Flows::of_schedule(Id schedule) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id, name FROM flows WHERE schedule_id = :schedule AND complete = 1 ORDER BY name)sql"));
  return all_rows(found.bind(":schedule", schedule), read_named);
}

}  // namespace holdfast
