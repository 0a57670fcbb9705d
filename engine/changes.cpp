#include <algorithm>

#include "catalog/base/text.h"
#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/groups.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/policies.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/schedules.h"
#include "catalog/stores/settings_store.h"
#include "engine/common/audit.h"
#include "engine/common/rights.h"
#include "engine/live_engine.h"
#include "engine/runs/begin.h"
#include "engine/runs/hooks.h"

namespace holdfast {
namespace {

std::string_view word_of(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::machine: return "machine";
    case ObjectKind::repository: return "repository";
    case ObjectKind::flow: return "flow";
    case ObjectKind::group: return "group";
    case ObjectKind::schedule: return "schedule";
    case ObjectKind::policy: return "policy";
    default: return "object";
  }
}

Result<Id> add(db::Connection& db, ObjectKind kind, std::string_view name, const Ownership& ownership,
               Time now) {
  const auto id_of = [](const auto& made) -> Result<Id> {
    if (!made) return tl::make_unexpected(made.error());
    return made->id;
  };
  switch (kind) {
    case ObjectKind::machine: return id_of(Machines(db).add(name, ownership, now));
    case ObjectKind::repository: return id_of(Repositories(db).add(name, ownership, now));
    case ObjectKind::flow: return id_of(Flows(db).add(name, ownership, now));
    case ObjectKind::group: return id_of(Groups(db).add(name, ownership, now));
    case ObjectKind::schedule: return id_of(Schedules(db).add(name, ownership, now));
    case ObjectKind::policy: return id_of(Policies(db).add(name, ownership, now));
    default: return fail(EPERM, "nothing is made here by hand");
  }
}

Result<> remove_row(db::Connection& db, ObjectKind kind, Id id) {
  switch (kind) {
    case ObjectKind::machine: return Machines(db).remove(id);
    case ObjectKind::repository: return Repositories(db).remove(id);
    case ObjectKind::flow: return Flows(db).remove(id);
    case ObjectKind::group: return Groups(db).remove(id);
    case ObjectKind::schedule: return Schedules(db).remove(id);
    case ObjectKind::policy: return Policies(db).remove(id);
    default: return fail(EPERM, "this is not removed by hand");
  }
}

Result<> rename_row(db::Connection& db, ObjectKind kind, Id id, std::string_view name, Time now) {
  switch (kind) {
    case ObjectKind::machine: return Machines(db).rename(id, name, now);
    case ObjectKind::repository: return Repositories(db).rename(id, name, now);
    case ObjectKind::flow: return Flows(db).rename(id, name, now);
    case ObjectKind::group: return Groups(db).rename(id, name, now);
    case ObjectKind::schedule: return Schedules(db).rename(id, name, now);
    case ObjectKind::policy: return Policies(db).rename(id, name, now);
    default: return fail(EPERM, "this is not renamed by hand");
  }
}

// Those that are named anew are there.
Result<> check_hooks(const std::string& folder, const FlowDefinition& before, const FlowDefinition& after) {
  if (!after.only_if.empty() && after.only_if != before.only_if)
    HF_CHECK(runs::open_hook(folder, after.only_if));
  for (const std::string& hook : after.hooks)
    if (std::ranges::find(before.hooks, hook) == before.hooks.end()) HF_CHECK(runs::open_hook(folder, hook));
  return {};
}

// The directory of a repository that is configured for the first time may be missing itself; what is above
// it may not.
Result<> make_leaf(const std::string& path) {
  if (open_directory(path)) return {};
  const auto slash = path.rfind('/');
  const auto parent = open_directory(slash == 0 ? "/" : path.substr(0, slash));
  if (!parent)
    return fail(ENOENT, "neither {} nor the directory above it exists; make it, or mount what belongs there",
                path);
  return (*parent)->make_directory(path.substr(slash + 1));
}

}  // namespace

void LiveEngine::announce(ObjectKind kind, Id id) {
  definitions_.changed();
  observer_.changed(kind, id);
}

Result<Id> LiveEngine::create(ObjectKind kind, std::string_view name, const Caller& caller) {
  HF_CHECK(check_name(name));
  HF_TRY(const Id id, catalog_->write([&](db::Connection& db) -> Result<Id> {
    const Ownership ownership{.uid = caller.uid, .gid = caller.gid};
    HF_TRY(const Id made, add(db, kind, name, ownership, clock_.now()));
    HF_TRY(std::string path, path_of(db, kind, made));
    HF_CHECK(
        record(db, make_event(clock_, fmt::format("{}.create", word_of(kind)), std::move(path), caller)));
    return made;
  }));
  announce(kind, id);
  return id;
}

Result<> LiveEngine::remove(ObjectKind kind, Id id, const Caller& caller) {
  if (kind == ObjectKind::point) return remove_point(id, caller);
  HF_CHECK(catalog_->write([&](db::Connection& db) -> Result<> {
    HF_TRY(std::string path, path_of(db, kind, id));
    Event event = make_event(clock_, fmt::format("{}.remove", word_of(kind)), std::move(path), caller);
    HF_TRY(event.owner, ownership_of(db, kind, id));
    HF_CHECK(remove_row(db, kind, id));
    return record(db, event);
  }));
  if (kind == ObjectKind::repository) shelf_.drop(id);
  announce(kind, id);
  return {};
}

Result<> LiveEngine::rename(ObjectKind kind, Id id, std::string_view name, const Caller& caller) {
  HF_CHECK(check_name(name));
  HF_CHECK(catalog_->write([&](db::Connection& db) -> Result<> {
    HF_TRY(std::string path, path_of(db, kind, id));
    HF_CHECK(rename_row(db, kind, id, name, clock_.now()));
    Event event = make_event(clock_, fmt::format("{}.rename", word_of(kind)), std::move(path), caller);
    event.reason = name;
    HF_TRY(event.owner, ownership_of(db, kind, id));
    return record(db, event);
  }));
  announce(kind, id);
  return {};
}

Result<> LiveEngine::define(Id id, const MachineDefinition& definition, const Caller& caller) {
  HF_CHECK(change(ObjectKind::machine, id, "machine.define", caller, "",
                  [&](db::Connection& db) { return Machines(db).define(id, definition, clock_.now()); }));
  throttles_.changed(id, definition.bandwidth);
  return {};
}

// The directory is made a repository inside the transaction: a definition that the catalog refuses
// touches no directory, and a directory that can't be one changes no definition.
Result<> LiveEngine::define(Id id, const RepositoryDefinition& definition, const Caller& caller) {
  bool moved = false;
  HF_CHECK(catalog_->write([&](db::Connection& db) -> Result<> {
    Repositories repositories(db);
    HF_TRY(const Repository before, repositories.get(id));
    HF_CHECK(repositories.define(id, definition, clock_.now()));
    moved = !before.complete || before.definition.path != definition.path;
    if (moved) {
      HF_CHECK(make_leaf(definition.path));
      HF_TRY(const std::string marker, repository::Place::initialise(definition.path));
      HF_CHECK(repositories.set_marker(id, marker));
    }
    HF_TRY(std::string path, path_of(db, ObjectKind::repository, id));
    return record(db, make_event(clock_, "repository.define", std::move(path), caller));
  }));
  if (moved) shelf_.drop(id);
  throttles_.changed(id, definition.bandwidth);
  runner_.set_limit_of(id, static_cast<unsigned>(definition.max_jobs));
  announce(ObjectKind::repository, id);
  return {};
}

Result<> LiveEngine::define(Id id, const FlowDefinition& definition, const Caller& caller) {
  return change(ObjectKind::flow, id, "flow.define", caller, "", [&](db::Connection& db) -> Result<> {
    Flows flows(db);
    HF_TRY(const Flow before, flows.get(id));
    HF_CHECK(flows.define(id, definition, clock_.now()));
    HF_TRY(const Flow after, flows.get(id));
    HF_CHECK(check_hooks(services_.hooks, before.definition, after.definition));
    return check_references(db, before, after, caller);
  });
}

Result<> LiveEngine::define(const SettingsDefinition& settings, const Caller& caller) {
  HF_CHECK(catalog_->write([&](db::Connection& db) -> Result<> {
    HF_CHECK(SettingsStore(db).define(settings, clock_.now()));
    return record(db, make_event(clock_, "settings.define", "config.json", caller));
  }));
  runner_.set_limit(static_cast<unsigned>(settings.max_concurrent_jobs));
  return {};
}

Result<Id> LiveEngine::run(Id flow, const RunRequest& request, const Caller& caller) {
  if (!request.name.empty()) HF_CHECK(check_name(request.name));
  definitions_.changed();  // a repository that was away may be there again
  HF_TRY(const auto admission, runner_.admit());
  HF_TRY(const auto executions, take_on(runs::begin_flows(services_, prunings_, {flow}, request, caller)));
  return executions.front();
}

Result<std::vector<Id>> LiveEngine::take_on(Result<std::vector<runs::FlowRun>> accepted) {
  HF_TRY(std::vector<runs::FlowRun> runs, std::move(accepted));
  std::vector<Id> executions;
  for (runs::FlowRun& run : runs) {
    executions.push_back(run.execution);
    take_on(std::move(run));
  }
  return executions;
}

void LiveEngine::take_on(runs::FlowRun run) {
  prunings_.judge_retired();
  if (run.works.empty()) observer_.changed(ObjectKind::execution, run.execution);
  if (run.ended) notices_.execution_ended(*run.ended);
  for (runs::Work& work : run.works) runner_.add(std::move(work));
}

Result<Id> LiveEngine::take_on(Result<runs::Work> accepted) {
  HF_TRY(runs::Work work, std::move(accepted));
  const Id job = work.job;
  runner_.add(std::move(work));
  return job;
}

Result<Id> LiveEngine::import_image(Id repository, const ImportRequest& request, const Caller& caller) {
  if (caller.uid != 0) return fail(EPERM, "'file' names something of the host: only root may import");
  if (!request.name.empty()) HF_CHECK(check_name(request.name));
  HF_CHECK(check_name(request.machine));
  if (!request.disk.empty()) HF_CHECK(check_name(request.disk));
  HF_TRY(const auto admission, runner_.admit());
  return take_on(runs::begin_import(services_, repository, request, caller));
}

Result<Id> LiveEngine::back_up(Id machine, const BackupRequest& request, const Caller& caller) {
  if (!request.name.empty()) HF_CHECK(check_name(request.name));
  HF_TRY(const auto admission, runner_.admit());
  return take_on(runs::begin_backup(services_, machine, request, caller));
}

Result<Id> LiveEngine::verify(ObjectKind kind, Id object, const VerifyRequest& request,
                              const Caller& caller) {
  if (!request.name.empty()) HF_CHECK(check_name(request.name));
  HF_TRY(const auto admission, runner_.admit());
  return take_on(runs::begin_verification(services_, kind, object, request, caller));
}

Result<Id> LiveEngine::test(ObjectKind kind, Id object, const std::string& name, const Caller& caller) {
  if (!name.empty()) HF_CHECK(check_name(name));
  HF_TRY(const auto admission, runner_.admit());
  runs::NextStarts next;
  if (kind == ObjectKind::flow) {
    HF_TRY(const FlowView view, flow(object));
    if (view.flow.schedule_id) {
      HF_TRY(const ScheduleView its, schedule(*view.flow.schedule_id));
      next = {its.schedule.name, its.next};
    }
  }
  return take_on(runs::begin_trial(services_, kind, object, name, std::move(next), caller));
}

Result<> LiveEngine::cancel_jobs(Id execution, const Caller& caller) {
  HF_CHECK(catalog_->write([&](db::Connection& db) -> Result<> {
    HF_TRY(const Execution row, Executions(db).get(execution));
    if (is_final(row.status))
      return fail(EINVAL, "execution '{}' has ended ({}); there is nothing to cancel", row.name,
                  to_word(row.status));
    HF_TRY(std::string path, path_of(db, ObjectKind::execution, execution));
    return record(db, make_event(clock_, "execution.cancel", std::move(path), caller));
  }));
  runner_.cancel_execution(execution);  // it may have ended in the meantime
  return {};
}

Result<> LiveEngine::cancel_execution(Id execution, const Caller& caller) {
  return cancel_jobs(execution, caller);
}

Result<> LiveEngine::cancel_flow(Id id, const Caller& caller) {
  HF_TRY(const FlowView view, flow(id));
  if (!view.running)
    return fail(EINVAL, "flow '{}' is not running; there is nothing to cancel", view.flow.name);
  return cancel_jobs(view.last->id, caller);
}

Result<> LiveEngine::cancel_job(Id id, const Caller& caller) {
  HF_CHECK(catalog_->write([&](db::Connection& db) -> Result<> {
    HF_TRY(const Job job, Jobs(db).get(id));
    if (is_final(job.status))
      return fail(EINVAL, "job '{}' has ended ({}); there is nothing to cancel", job.name,
                  to_word(job.status));
    return record(db, make_event(clock_, "job.cancel", "jobs/" + job.name, caller));
  }));
  (void)runner_.cancel(id);
  return {};
}

}  // namespace holdfast
