#include <algorithm>

#include "catalog/base/id_time.h"
#include "catalog/model/rights.h"
#include "catalog/stores/collections.h"
#include "catalog/stores/events.h"
#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/groups.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/leftovers.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/policies.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/schedules.h"
#include "catalog/stores/settings_store.h"
#include "catalog/stores/totals.h"
#include "engine/live_engine.h"

namespace holdfast {
namespace {

// Executions and jobs are listed newest first, this many; older ones answer by name.
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

// A chain is called what manifests call it.
Result<std::vector<Named>> chain_names(db::Connection& db, Id machine) {
  HF_TRY(const auto chains, Points(db).chains(machine));
  std::vector<Named> names;
  for (const Chain& chain : chains) names.push_back({chain.id, std::to_string(chain.id)});
  return names;
}

Result<std::optional<Id>> find_in(db::Connection& db, ObjectKind kind, Id parent, std::string_view name) {
  switch (kind) {
    case ObjectKind::machine: return Machines(db).find(name);
    case ObjectKind::repository: return Repositories(db).find(name);
    case ObjectKind::flow: return Flows(db).find(name);
    case ObjectKind::group: return Groups(db).find(name);
    case ObjectKind::schedule: return Schedules(db).find(name);
    case ObjectKind::policy: return Policies(db).find(name);
    case ObjectKind::chain: {
      HF_TRY(const auto chains, chain_names(db, parent));
      return find_named(chains, name);
    }
    case ObjectKind::execution: return Executions(db).find(parent, name);
    case ObjectKind::job: return Jobs(db).find(name);
    case ObjectKind::point: return Points(db).find(parent, name);
    case ObjectKind::disk: {
      HF_TRY(const auto disks, Machines(db).disks(parent));
      return find_named(disks, name);
    }
    case ObjectKind::point_disk: {
      HF_TRY(const Point point, Points(db).get(parent));
      return find_named(point.disks, name);
    }
  }
  return std::optional<Id>{};
}

Result<std::vector<Named>> list_in(db::Connection& db, ObjectKind kind, Id parent) {
  switch (kind) {
    case ObjectKind::machine: return Machines(db).list();
    case ObjectKind::repository: return Repositories(db).list();
    case ObjectKind::flow: return Flows(db).list();
    case ObjectKind::group: return Groups(db).list();
    case ObjectKind::schedule: return Schedules(db).list();
    case ObjectKind::policy: return Policies(db).list();
    case ObjectKind::chain: return chain_names(db, parent);
    case ObjectKind::execution: return Executions(db).newest(parent, kListed);
    case ObjectKind::job: return parent == 0 ? Jobs(db).newest(kListed) : Jobs(db).of_execution(parent);
    case ObjectKind::point: return Points(db).list(parent);
    case ObjectKind::disk: {
      HF_TRY(const auto disks, Machines(db).disks(parent));
      return names_of(disks);
    }
    case ObjectKind::point_disk: {
      HF_TRY(const Point point, Points(db).get(parent));
      return names_of(point.disks);
    }
  }
  return std::vector<Named>{};
}

// Where objects of a kind are that users make.
std::string_view folder_of(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::machine: return "machines";
    case ObjectKind::repository: return "repositories";
    case ObjectKind::flow: return "flows";
    case ObjectKind::group: return "groups";
    case ObjectKind::schedule: return "schedules";
    case ObjectKind::policy: return "policies";
    default: return "";
  }
}

// The object that users made and that the given one belongs to (what it makes inherits from it).
Result<Object> owner_of(db::Connection& db, ObjectKind kind, Id id) {
  switch (kind) {
    case ObjectKind::machine: return Machines(db).get(id);
    case ObjectKind::repository: return Repositories(db).get(id);
    case ObjectKind::flow: return Flows(db).get(id);
    case ObjectKind::group: return Groups(db).get(id);
    case ObjectKind::schedule: return Schedules(db).get(id);
    case ObjectKind::policy: return Policies(db).get(id);
    case ObjectKind::chain: {
      HF_TRY(const Chain chain, Points(db).chain(id));
      return Machines(db).get(chain.machine_id);
    }
    case ObjectKind::execution: {
      HF_TRY(const Execution execution, Executions(db).get(id));
      return Flows(db).get(execution.flow_id);
    }
    case ObjectKind::job: {
      HF_TRY(const Job job, Jobs(db).get(id));
      if (job.execution_id) return owner_of(db, ObjectKind::execution, *job.execution_id);
      if (job.machine_id) return Machines(db).get(*job.machine_id);
      if (job.repository_id) return Repositories(db).get(*job.repository_id);
      if (job.flow_id) return Flows(db).get(*job.flow_id);
      return Object{};
    }
    case ObjectKind::point: {
      HF_TRY(const Point point, Points(db).get(id));
      if (point.state == PointState::retired) return fail(ENOENT, "point '{}' has gone", point.name);
      return Machines(db).get(point.machine_id);
    }
    case ObjectKind::point_disk: {
      HF_TRY(const PointDisk disk, Points(db).disk(id));
      return owner_of(db, ObjectKind::point, disk.point_id);
    }
    case ObjectKind::disk: break;
  }
  return fail(EINVAL, "a disk has no owner of its own");
}

Result<Totals> totals_for(db::Connection& db, const Caller& reader) {
  if (reader.uid == 0) return read_totals(db);
  HF_TRY(const Ownership machines, Collections(db).get(DefinitionKind::machine));
  HF_TRY(const Ownership repositories, Collections(db).get(DefinitionKind::repository));
  HF_TRY(const Ownership flows, Collections(db).get(DefinitionKind::flow));
  Totals his;
  HF_TRY(const auto all, read_owned_totals(db));
  for (const OwnedTotals& owned : all) {
    if (!may_see(reader, owned.ownership)) continue;
    if (may_see(reader, machines)) {
      his.machines += owned.totals.machines;
      his.points += owned.totals.points;
      his.bytes_stored += owned.totals.bytes_stored;
    }
    if (may_see(reader, repositories)) his.repositories += owned.totals.repositories;
    if (may_see(reader, flows)) his.flows += owned.totals.flows;
  }
  return his;
}

}  // namespace

Result<Ownership> ownership_of(db::Connection& db, ObjectKind kind, Id id) {
  switch (kind) {
    case ObjectKind::machine:
      return id == 0 ? Collections(db).get(DefinitionKind::machine) : Machines(db).ownership(id);
    case ObjectKind::repository:
      return id == 0 ? Collections(db).get(DefinitionKind::repository) : Repositories(db).ownership(id);
    case ObjectKind::flow:
      return id == 0 ? Collections(db).get(DefinitionKind::flow) : Flows(db).ownership(id);
    case ObjectKind::group:
      return id == 0 ? Collections(db).get(DefinitionKind::group) : Groups(db).ownership(id);
    case ObjectKind::schedule:
      return id == 0 ? Collections(db).get(DefinitionKind::schedule) : Schedules(db).ownership(id);
    case ObjectKind::policy:
      return id == 0 ? Collections(db).get(DefinitionKind::policy) : Policies(db).ownership(id);
    default: {
      HF_TRY(const Object owner, owner_of(db, kind, id));
      return owner.ownership;
    }
  }
}

Result<std::string> path_of(db::Connection& db, ObjectKind kind, Id id) {
  if (id == 0) return std::string{folder_of(kind)};
  HF_TRY(const Object owner, owner_of(db, kind, id));
  if (const auto folder = folder_of(kind); !folder.empty()) return fmt::format("{}/{}", folder, owner.name);
  switch (kind) {
    case ObjectKind::disk: return "machines/" + owner.name;
    case ObjectKind::chain: return fmt::format("machines/{}/chains/{}", owner.name, id);
    case ObjectKind::execution: {
      HF_TRY(const Execution execution, Executions(db).get(id));
      return fmt::format("flows/{}/executions/{}", owner.name, execution.name);
    }
    case ObjectKind::job: {
      HF_TRY(const Job job, Jobs(db).get(id));
      return "jobs/" + job.name;
    }
    case ObjectKind::point: {
      HF_TRY(const Point point, Points(db).get(id));
      return fmt::format("machines/{}/points/{}", owner.name, point.name);
    }
    case ObjectKind::point_disk: {
      HF_TRY(const PointDisk disk, Points(db).disk(id));
      HF_TRY(const Point point, Points(db).get(disk.point_id));
      return fmt::format("machines/{}/points/{}/{}", owner.name, point.name, disk.name);
    }
    default: return std::string{};
  }
}

Result<Id> LiveEngine::find(ObjectKind kind, Id parent, std::string_view name) {
  return catalog_->read([&](db::Connection& db) -> Result<Id> {
    HF_TRY(const auto found, find_in(db, kind, parent, name));
    if (!found) return fail(ENOENT, "'{}' is not here", name);
    return *found;
  });
}

Result<std::vector<Named>> LiveEngine::list(ObjectKind kind, Id parent) {
  return catalog_->read([&](db::Connection& db) { return list_in(db, kind, parent); });
}

Result<Engine::Stamp> LiveEngine::stamp(ObjectKind kind, Id id) {
  if (kind == ObjectKind::execution) {
    HF_TRY(const ExecutionView view, execution(id));
    return Stamp{view.execution.revision, time_of_id(view.execution.revision)};
  }
  if (kind == ObjectKind::job) {
    HF_TRY(const JobView view, job(id));
    return Stamp{view.job.revision, time_of_id(view.job.revision)};
  }
  return catalog_->read([&](db::Connection& db) -> Result<Stamp> {
    if (kind == ObjectKind::point) {
      HF_TRY(const Point point, Points(db).get(id));
      if (point.state == PointState::retired) return fail(ENOENT, "point '{}' has gone", point.name);
      return Stamp{std::max(point.id, point.revision), std::max(point.time, time_of_id(point.revision))};
    }
    if (kind == ObjectKind::point_disk) {
      HF_TRY(const PointDisk disk, Points(db).disk(id));
      HF_TRY(const Point point, Points(db).get(disk.point_id));
      return Stamp{point.id, point.time};
    }
    if (kind == ObjectKind::flow) return stamp_flow(db, id);
    HF_TRY(const Object owner, owner_of(db, kind, id));
    return Stamp{owner.revision, std::max(owner.changed_at, time_of_id(owner.revision))};
  });
}

Result<MachineView> LiveEngine::machine(Id id) {
  return catalog_->read([&](db::Connection& db) { return view_machine(db, id, clock_.now()); });
}

Result<DiskView> LiveEngine::disk(Id machine, Id id) {
  return catalog_->read([&](db::Connection& db) { return view_disk(db, machine, id); });
}

Result<RepositoryView> LiveEngine::repository(Id id) {
  RepositoryView view;
  HF_CHECK(catalog_->read([&](db::Connection& db) -> Result<> {
    HF_TRY(view.repository, Repositories(db).get(id));
    HF_TRY(const auto usage, Repositories(db).usage(id));
    view.points = usage.points;
    view.used_bytes = usage.bytes_stored;
    HF_TRY(view.last_verified_at, Points(db).last_verified(id));
    return {};
  }));
  view.revision = view.repository.revision;
  view.state = view.repository.complete ? "ready" : "incomplete";
  if (!view.repository.complete) return view;

  const auto place = shelf_.place(view.repository);
  if (!place) {
    view.state = "unreachable";
    view.warnings.push_back(place.error().message);
    return view;
  }
  if (const auto& writable = (*place)->may_write(); !writable)
    view.warnings.push_back(writable.error().message);
  HF_TRY(const auto space, (*place)->directory().space());
  view.capacity_bytes = space.capacity;
  view.free_bytes = space.free;
  return view;
}

Result<FlowView> LiveEngine::flow(Id id) {
  return catalog_->read([&](db::Connection& db) { return view_flow(db, id, clock_.now()); });
}

void LiveEngine::add_progress(ExecutionView& view) {
  for (const Named& job : view.jobs) {
    const auto live = runner_.progress(job.id);
    if (!live) continue;
    view.progress.done += live->done;
    view.progress.total += live->total;
    view.progress.rate += live->rate;
    view.execution.revision = std::max(view.execution.revision, live->revision);
  }
  if (view.progress.rate > 0)
    view.progress.seconds_left = static_cast<std::int64_t>(
        (view.progress.total - std::min(view.progress.done, view.progress.total)) / view.progress.rate);
}

Result<ExecutionView> LiveEngine::execution(Id id) {
  ExecutionView view;
  HF_CHECK(catalog_->read([&](db::Connection& db) -> Result<> {
    HF_TRY(view.execution, Executions(db).get(id));
    HF_TRY(const Flow flow, Flows(db).get(view.execution.flow_id));
    view.flow = flow.name;
    HF_TRY(view.jobs, Jobs(db).of_execution(id));
    if (!is_final(view.execution.status)) return {};
    for (const Named& named : view.jobs) {
      HF_TRY(const Job job, Jobs(db).get(named.id));
      view.progress.done += job.bytes_done;
      view.progress.total += job.bytes_total;
    }
    return {};
  }));
  if (!is_final(view.execution.status)) add_progress(view);
  return view;
}

Result<JobView> LiveEngine::job(Id id) {
  JobView view;
  HF_CHECK(catalog_->read([&](db::Connection& db) -> Result<> {
    HF_TRY(view.job, Jobs(db).get(id));
    if (view.job.execution_id) {
      HF_TRY(view.execution, path_of(db, ObjectKind::execution, *view.job.execution_id));
    }
    if (view.job.machine_id) {
      HF_TRY(const Machine machine, Machines(db).get(*view.job.machine_id));
      view.machine = machine.name;
    }
    return {};
  }));
  view.progress.done = view.job.bytes_done;
  view.progress.total = view.job.bytes_total;
  if (is_final(view.job.status)) return view;
  if (const auto live = runner_.progress(id)) {
    view.progress = *live;
    view.job.revision = std::max(view.job.revision, live->revision);
  }
  view.waits_for = runner_.waits_for(id);
  return view;
}

Result<PointView> LiveEngine::point(Id id) {
  return catalog_->read([&](db::Connection& db) { return view_point(db, id, clock_.now()); });
}

Result<PointDisk> LiveEngine::point_disk(Id id) {
  return catalog_->read([&](db::Connection& db) { return Points(db).disk(id); });
}

// What the repositories and machines warn of that he may see. A repository is known by how it was found the
// last time: one that hangs keeps nobody waiting here.
Result<std::vector<std::string>> LiveEngine::warnings_for(db::Connection& db, const Caller& reader) {
  constexpr int kLookedAt = 1000;
  std::vector<std::string> warnings;
  HF_TRY(const auto repositories, Repositories(db).list());
  for (const Named& named : repositories) {
    const std::string trouble = shelf_.trouble(named.id);
    if (trouble.empty()) continue;
    HF_TRY(const Ownership owner, ownership_of(db, ObjectKind::repository, named.id));
    if (may_see(reader, owner)) warnings.push_back(fmt::format("repository '{}': {}", named.name, trouble));
  }
  HF_TRY(const auto machines, Machines(db).to_look_at(kLookedAt));
  for (const Id id : machines) {
    HF_TRY(const MachineView view, view_machine(db, id, clock_.now()));
    if (!may_see(reader, view.machine.ownership)) continue;
    for (const std::string& warning : view.warnings)
      warnings.push_back(fmt::format("machine '{}': {}", view.machine.name, warning));
  }
  return warnings;
}

Result<SummaryView> LiveEngine::summary(const Caller& reader) {
  return catalog_->read([&](db::Connection& db) -> Result<SummaryView> {
    SummaryView view;
    view.draining = runner_.is_closed();
    view.readers = open_images_;
    HF_TRY(const Totals totals, totals_for(db, reader));
    view.machines = totals.machines;
    view.repositories = totals.repositories;
    view.flows = totals.flows;
    view.points = totals.points;
    view.bytes_stored = totals.bytes_stored;
    HF_TRY(const auto running, Executions(db).unfinished());
    for (const Execution& execution : running) {
      HF_TRY(const Object owner, owner_of(db, ObjectKind::execution, execution.id));
      if (!may_see(reader, owner.ownership)) continue;
      HF_TRY(std::string path, path_of(db, ObjectKind::execution, execution.id));
      view.running.push_back(std::move(path));
    }
    HF_TRY(const auto jobs, Jobs(db).unfinished());
    for (const Job& job : jobs) {
      if (job.execution_id) continue;
      HF_TRY(const Object owner, owner_of(db, ObjectKind::job, job.id));
      if (may_see(reader, owner.ownership)) view.running.push_back("jobs/" + job.name);
    }
    HF_TRY(view.next, next_starts(db, reader, clock_.now()));
    HF_TRY(view.warnings, warnings_for(db, reader));
    view.started_at = started_at_;
    HF_TRY(view.revision, Events(db).newest());
    return view;
  });
}

Result<SettingsDefinition> LiveEngine::settings() {
  HF_TRY(const Settings settings, catalog_->read([](db::Connection& db) { return SettingsStore(db).get(); }));
  return settings.definition;
}

Result<std::vector<Event>> LiveEngine::events_since(Id after, int at_most) {
  return catalog_->read([&](db::Connection& db) { return Events(db).since(after, at_most); });
}

Result<std::vector<Id>> LiveEngine::event_parts() {
  return catalog_->read([&](db::Connection& db) { return Events(db).parts(); });
}

Result<Id> LiveEngine::newest_event() {
  return catalog_->read([](db::Connection& db) { return Events(db).newest(); });
}

Result<Named> LiveEngine::latest(ObjectKind kind, Id parent) {
  return catalog_->read([&](db::Connection& db) -> Result<Named> {
    if (kind == ObjectKind::execution) {
      HF_TRY(const auto latest, Executions(db).latest(parent));
      if (latest) return Named{latest->id, latest->name};
      return fail(ENOENT, "it has never run");
    }
    HF_TRY(const auto newest, Points(db).newest_good(parent));
    if (newest) return Named{newest->id, newest->name};
    return fail(ENOENT, "it has no point yet");
  });
}

}  // namespace holdfast
