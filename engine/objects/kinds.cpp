#include "engine/objects/kinds.h"

#include <algorithm>
#include <array>

#include "catalog/stores/collections.h"
#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/groups.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/policies.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/schedules.h"

namespace holdfast {
namespace {

// Number of executions and jobs that a listing shows, newest first. Older ones are found by name.
constexpr int kListed = 1000;

template <class Row>
std::optional<Id> find_named(const std::vector<Row>& rows, std::string_view name) {
  const auto found = std::ranges::find(rows, name, &Row::name);
  return found == rows.end() ? std::nullopt : std::optional<Id>(found->id);
}

template <class Row>
std::vector<Named> names_of(const std::vector<Row>& rows) {
  std::vector<Named> names;
  for (const Row& row : rows) names.push_back({row.id, row.name});
  return names;
}

// Makes the row of a kind that users make, with the functions of its store.
template <class Store>
constexpr Kind of_users(ObjectKind kind, DefinitionKind definition, std::string_view word,
                        std::string_view shown, std::string_view collection) {
  return {
      .kind = kind,
      .word = word,
      .shown = shown,
      .collection = collection,
      .reached_through = kind,
      .users =
          KindOfUsers{
              .definition = definition,
              .add = [](db::Connection& db, std::string_view name, const Ownership& ownership,
                        Time now) -> Result<Id> {
                HF_TRY(const auto made, Store(db).add(name, ownership, now));
                return made.id;
              },
              .remove = [](db::Connection& db, Id id) { return Store(db).remove(id); },
              .rename = [](db::Connection& db, Id id, std::string_view name,
                           Time now) { return Store(db).rename(id, name, now); },
              .ownership = [](db::Connection& db, Id id) { return Store(db).ownership(id); },
              .set_ownership = [](db::Connection& db, Id id, const Ownership& ownership,
                                  Time now) { return Store(db).set_ownership(id, ownership, now); },
          },
      .find = [](db::Connection& db, Id, std::string_view name) { return Store(db).find(name); },
      .list = [](db::Connection& db, Id) { return Store(db).list(); },
      .owner = [](db::Connection& db, Id id) -> Result<Object> { return Store(db).get(id); },
      .path = nullptr,
  };
}

Result<std::vector<Named>> list_disks(db::Connection& db, Id machine) {
  HF_TRY(const auto disks, Machines(db).disks(machine));
  return names_of(disks);
}
Result<std::optional<Id>> find_disk(db::Connection& db, Id machine, std::string_view name) {
  HF_TRY(const auto disks, Machines(db).disks(machine));
  return find_named(disks, name);
}
Result<Object> owner_of_disk(db::Connection&, Id) { return fail(EINVAL, "a disk has no owner of its own"); }
Result<std::string> path_of_disk(db::Connection&, const Object& machine, Id) {
  return "machines/" + machine.name;
}

Result<std::optional<Id>> find_point(db::Connection& db, Id machine, std::string_view name) {
  return Points(db).find(machine, name);
}
Result<std::vector<Named>> list_points(db::Connection& db, Id machine) { return Points(db).list(machine); }
Result<Object> owner_of_point(db::Connection& db, Id id) {
  HF_TRY(const Point point, Points(db).get(id));
  if (point.state == PointState::retired) return fail(ENOENT, "point '{}' has gone", point.name);
  return Machines(db).get(point.machine_id);
}
Result<std::string> path_of_point(db::Connection& db, const Object& machine, Id id) {
  HF_TRY(const Point point, Points(db).get(id));
  return fmt::format("machines/{}/points/{}", machine.name, point.name);
}

Result<std::optional<Id>> find_point_disk(db::Connection& db, Id point_id, std::string_view name) {
  HF_TRY(const Point point, Points(db).get(point_id));
  return find_named(point.disks, name);
}
Result<std::vector<Named>> list_point_disks(db::Connection& db, Id point_id) {
  HF_TRY(const Point point, Points(db).get(point_id));
  return names_of(point.disks);
}
Result<Object> owner_of_point_disk(db::Connection& db, Id id) {
  HF_TRY(const PointDisk disk, Points(db).disk(id));
  return owner_of_point(db, disk.point_id);
}
Result<std::string> path_of_point_disk(db::Connection& db, const Object& machine, Id id) {
  HF_TRY(const PointDisk disk, Points(db).disk(id));
  HF_TRY(const std::string point, path_of_point(db, machine, disk.point_id));
  return fmt::format("{}/{}", point, disk.name);
}

// Names chains by their ids, as manifests do.
Result<std::vector<Named>> list_chains(db::Connection& db, Id machine) {
  HF_TRY(const auto chains, Points(db).chains(machine));
  std::vector<Named> names;
  for (const Chain& chain : chains) names.push_back({chain.id, std::to_string(chain.id)});
  return names;
}
Result<std::optional<Id>> find_chain(db::Connection& db, Id machine, std::string_view name) {
  HF_TRY(const auto chains, list_chains(db, machine));
  return find_named(chains, name);
}
Result<Object> owner_of_chain(db::Connection& db, Id id) {
  HF_TRY(const Chain chain, Points(db).chain(id));
  return Machines(db).get(chain.machine_id);
}
Result<std::string> path_of_chain(db::Connection&, const Object& machine, Id id) {
  return fmt::format("machines/{}/chains/{}", machine.name, id);
}

Result<std::optional<Id>> find_execution(db::Connection& db, Id flow, std::string_view name) {
  return Executions(db).find(flow, name);
}
Result<std::vector<Named>> list_executions(db::Connection& db, Id flow) {
  return Executions(db).newest(flow, kListed);
}
Result<Object> owner_of_execution(db::Connection& db, Id id) {
  HF_TRY(const Execution execution, Executions(db).get(id));
  return Flows(db).get(execution.flow_id);
}
Result<std::string> path_of_execution(db::Connection& db, const Object& flow, Id id) {
  HF_TRY(const Execution execution, Executions(db).get(id));
  return fmt::format("flows/{}/executions/{}", flow.name, execution.name);
}

// Lists the jobs of an execution, or all jobs for 0.
Result<std::vector<Named>> list_jobs(db::Connection& db, Id execution) {
  return execution == 0 ? Jobs(db).newest(kListed) : Jobs(db).of_execution(execution);
}
Result<std::optional<Id>> find_job(db::Connection& db, Id, std::string_view name) {
  return Jobs(db).find(name);
}
Result<Object> owner_of_job(db::Connection& db, Id id) {
  HF_TRY(const Job job, Jobs(db).get(id));
  if (job.execution_id) return owner_of_execution(db, *job.execution_id);
  if (job.machine_id) return Machines(db).get(*job.machine_id);
  if (job.repository_id) return Repositories(db).get(*job.repository_id);
  if (job.flow_id) return Flows(db).get(*job.flow_id);
  return Object{};
}
Result<std::string> path_of_job(db::Connection& db, const Object&, Id id) {
  HF_TRY(const Job job, Jobs(db).get(id));
  return "jobs/" + job.name;
}

// Makes the row of a kind that the daemon makes.
constexpr Kind made(ObjectKind kind, std::string_view word, std::string_view shown,
                    ObjectKind reached_through, decltype(Kind::find) find, decltype(Kind::list) list,
                    decltype(Kind::owner) owner, decltype(Kind::path) path) {
  return {.kind = kind,
          .word = word,
          .shown = shown,
          .collection = "",
          .reached_through = reached_through,
          .users = std::nullopt,
          .find = find,
          .list = list,
          .owner = owner,
          .path = path};
}

// clang-format off
constexpr std::array kKinds{
    of_users<Machines>    (ObjectKind::machine,    DefinitionKind::machine,    "machine",    "MACHINE",    "machines"),
    made(ObjectKind::disk,       "disk",       "DISK",  ObjectKind::machine, find_disk, list_disks, owner_of_disk, path_of_disk),
    made(ObjectKind::point,      "point",      "POINT", ObjectKind::machine, find_point, list_points, owner_of_point, path_of_point),
    made(ObjectKind::point_disk, "point_disk", "DISK",  ObjectKind::machine, find_point_disk, list_point_disks, owner_of_point_disk, path_of_point_disk),
    made(ObjectKind::chain,      "chain",      "CHAIN", ObjectKind::machine, find_chain, list_chains, owner_of_chain, path_of_chain),
    of_users<Groups>      (ObjectKind::group,      DefinitionKind::group,      "group",      "GROUP",      "groups"),
    of_users<Schedules>   (ObjectKind::schedule,   DefinitionKind::schedule,   "schedule",   "SCHEDULE",   "schedules"),
    of_users<Policies>    (ObjectKind::policy,     DefinitionKind::policy,     "policy",     "POLICY",     "policies"),
    of_users<Repositories>(ObjectKind::repository, DefinitionKind::repository, "repository", "REPOSITORY", "repositories"),
    of_users<Flows>       (ObjectKind::flow,       DefinitionKind::flow,       "flow",       "FLOW",       "flows"),
    made(ObjectKind::execution,  "execution",  "EXECUTION", ObjectKind::flow, find_execution, list_executions, owner_of_execution, path_of_execution),
    made(ObjectKind::job,        "job",        "JOB",   ObjectKind::job, find_job, list_jobs, owner_of_job, path_of_job),
};
// clang-format on

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < kKinds.size(); ++i)
    if (kKinds[i].kind != static_cast<ObjectKind>(i)) return false;
  return true;
}
static_assert(is_in_order(), "kind_of() takes a kind's number as its place");

}  // namespace

std::span<const Kind> kinds() { return kKinds; }

const Kind& kind_of(ObjectKind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

Result<Object> owner_of(db::Connection& db, ObjectKind kind, Id id) { return kind_of(kind).owner(db, id); }

Result<Ownership> ownership_of(db::Connection& db, ObjectKind kind, Id id) {
  if (const auto& users = kind_of(kind).users)
    return id == 0 ? Collections(db).get(users->definition) : users->ownership(db, id);
  HF_TRY(const Object owner, owner_of(db, kind, id));
  return owner.ownership;
}

Result<std::string> path_of(db::Connection& db, ObjectKind kind, Id id) {
  const Kind& its = kind_of(kind);
  if (id == 0) return std::string{its.collection};
  HF_TRY(const Object owner, its.owner(db, id));
  if (its.users) return fmt::format("{}/{}", its.collection, owner.name);
  return its.path(db, owner, id);
}

}  // namespace holdfast
