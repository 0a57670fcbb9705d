#include "catalog/stores/flows.h"

#include "catalog/stores/machines.h"
#include "catalog/stores/objects.h"
#include "catalog/stores/repositories.h"

namespace holdfast {
namespace {

constexpr Objects::Kind kKind{"flow", "flows"};
constexpr std::string_view kMachines = "machines/";

Result<Flow> read_flow(db::Statement& statement) {
  Flow flow;
  std::string machine;
  Row row(statement);
  read_object(row, flow, flow.definition.description) >> flow.definition.type >> flow.machine_id >>
      flow.repository_id >> machine >> flow.definition.repository >> flow.definition.enabled >>
      flow.total_executions >> flow.successful_executions >> flow.warned_executions >>
      flow.failed_executions >> flow.finished_executions >> flow.total_milliseconds;
  HF_CHECK(row.check());
  if (flow.machine_id) flow.definition.target = fmt::format("{}{}", kMachines, machine);
  return flow;
}

Result<Id> resolve_target(db::Connection& db, std::string_view target) {
  if (!target.starts_with(kMachines))
    return fail(EINVAL, "the target is '{}'; write it as machines/NAME", target);
  const std::string_view name = target.substr(kMachines.size());
  HF_TRY(const auto machine, Machines(db).find(name));
  if (!machine) return fail(ENOENT, "there is no machine '{}'", name);
  return *machine;
}

Result<Id> resolve_repository(db::Connection& db, std::string_view name) {
  HF_TRY(const auto repository, Repositories(db).find(name));
  if (!repository) return fail(ENOENT, "there is no repository '{}'", name);
  return *repository;
}

}  // namespace

Result<Flow> Flows::add(std::string_view name, const Ownership& ownership, Time now) {
  Flow flow;
  HF_TRY(static_cast<Object&>(flow), Objects(db_, kKind).make(name, ownership, now));
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT INTO flows (id, name, uid, gid, mode, complete, revision, created_at, changed_at, type, enabled)
    VALUES (:id, :name, :uid, :gid, :mode, :complete, :revision, :created_at, :changed_at, :type, :enabled)
    )sql"));
  const auto done = bind_object(insert, flow)
                        .bind(":type", to_word(flow.definition.type))
                        .bind(":enabled", flow.definition.enabled)
                        .run();
  if (!done) return tl::make_unexpected(Objects(db_, kKind).taken(done.error(), name));
  return flow;
}

Result<Flow> Flows::get(Id id) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT flows.id, flows.name, flows.uid, flows.gid, flows.mode, flows.complete, flows.revision,
           flows.created_at, flows.changed_at, flows.description,
           flows.type, flows.machine_id, flows.repository_id, machines.name, repositories.name, flows.enabled,
           flows.total_executions, flows.successful_executions, flows.warned_executions,
           flows.failed_executions, flows.finished_executions, flows.total_milliseconds
    FROM flows
    LEFT JOIN machines ON machines.id = flows.machine_id
    LEFT JOIN repositories ON repositories.id = flows.repository_id
    WHERE flows.id = :id)sql"));
  HF_TRY(auto flow, first_row(found.bind(":id", id), read_flow));
  if (!flow) return tl::make_unexpected(Objects(db_, kKind).missing(id));
  HF_TRY(flow->definition.tags, Objects(db_, kKind).tags(id));
  return std::move(*flow);
}

Result<std::optional<Id>> Flows::find(std::string_view name) { return Objects(db_, kKind).find(name); }

Result<std::vector<Named>> Flows::list() { return Objects(db_, kKind).list(); }

Result<> Flows::rename(Id id, std::string_view name, Time now) {
  return Objects(db_, kKind).rename(id, name, now);
}

Result<> Flows::define(Id id, const FlowDefinition& definition, Time now) {
  HF_TRY(const Id machine, resolve_target(db_, definition.target));
  HF_TRY(const Id repository, resolve_repository(db_, definition.repository));
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE flows
    SET complete = 1, revision = :revision, changed_at = :now, description = :description, type = :type,
        machine_id = :machine, repository_id = :repository, enabled = :enabled
    WHERE id = :id)sql"));
  HF_CHECK(update.bind(":revision", new_id())
               .bind(":now", milliseconds(now))
               .bind(":description", or_null(definition.description))
               .bind(":type", to_word(definition.type))
               .bind(":machine", machine)
               .bind(":repository", repository)
               .bind(":enabled", definition.enabled)
               .bind(":id", id)
               .run());
  if (db_.changes() == 0) return tl::make_unexpected(Objects(db_, kKind).missing(id));
  return Objects(db_, kKind).set_tags(id, definition.tags);
}

Result<> Flows::remove(Id id) {
  HF_TRY(const std::string name, Objects(db_, kKind).name_of(id));
  HF_TRY(auto active, db_.prepare(R"sql(
    SELECT name FROM executions WHERE flow_id = :id AND status IN ('pending', 'running'))sql"));
  HF_TRY(const auto running, first_row(active.bind(":id", id), read_text));
  if (running) return fail(EBUSY, "flow '{}' has execution '{}' running", name, *running);
  HF_TRY(auto remove, db_.prepare("DELETE FROM flows WHERE id = :id"));
  HF_CHECK(remove.bind(":id", id).run());
  return {};
}

}  // namespace holdfast
