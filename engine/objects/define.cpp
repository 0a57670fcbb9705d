// Definitions: what a config.json says of an object.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "catalog/base/host_path.h"
#include "catalog/base/log.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/groups.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/policies.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/schedules.h"
#include "catalog/stores/settings_store.h"
#include "engine/capture/last_bitmaps.h"
#include "engine/capture/throttle.h"
#include "engine/common/bell.h"
#include "engine/common/rights.h"
#include "engine/objects/changes.h"
#include "engine/objects/objects.h"
#include "engine/repository/shelf.h"
#include "engine/repository/site.h"
#include "engine/runs/hooks.h"
#include "engine/runs/runner.h"
#include "engine/schedule/timetable.h"
#include "engine/schedule/verify_window.h"
#include "engine/sources/drivers.h"

namespace holdfast {
namespace {

constexpr std::chrono::seconds kBriefly{2};

// Checks that newly named hooks exist.
Result<> check_hooks(const std::string& folder, const FlowDefinition& before, const FlowDefinition& after) {
  if (!after.only_if.empty() && after.only_if != before.only_if)
    HF_CHECK(runs::open_hook(folder, after.only_if));
  for (const std::string& hook : after.hooks)
    if (std::ranges::find(before.hooks, hook) == before.hooks.end()) HF_CHECK(runs::open_hook(folder, hook));
  return {};
}

// Tells whether the object has this very definition. Writing that again changes nothing and is no event, so
// that a script may define everything anew at each run.
template <class Store, class Definition>
Result<bool> is_defined_so(const capture::Services& services, Id id, const Definition& definition) {
  return services.catalog.read([&](db::Connection& db) -> Result<bool> {
    HF_TRY(const auto object, Store(db).get(id));
    return object.complete && object.definition == definition;
  });
}

// Refuses a machine whose definition names a path on a mount of Holdfast: its runs would ask their own
// daemon. Refuses an image file that is not what the definition says. A path that doesn't exist, or hangs, is
// no reason to refuse a definition.
Result<> check_host_names(const MachineDefinition& machine) {
  HF_TRY(const auto driver, source::driver_for(machine.driver));
  HF_TRY(const auto names, driver->host_names(machine));
  std::vector<std::string> paths;
  for (const auto& name : names) paths.push_back(name.path);
  const auto found = look_up(paths, kBriefly, Look::first_bytes);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!found[i] && found[i].error().code == EINVAL) return tl::make_unexpected(found[i].error());
    if (found[i] && !found[i]->start.empty() && names[i].check)
      HF_CHECK(names[i].check(as_bytes(found[i]->start)));
  }
  return {};
}

// Returns the directories that a new path must lie apart from.
Result<std::vector<repository::Neighbour>> neighbours_of(const capture::Services& services,
                                                         db::Connection& db, Id id) {
  std::vector<repository::Neighbour> neighbours{
      {"the state directory", std::filesystem::path(services.scratch).parent_path().string()}};
  Repositories repositories(db);
  HF_TRY(const auto all, repositories.list());
  for (const Named& named : all) {
    HF_TRY(const Repository other, repositories.get(named.id));
    if (other.id != id && other.complete)
      neighbours.push_back({fmt::format("repository '{}'", other.name), other.definition.path});
  }
  return neighbours;
}

using Neighbours = std::optional<std::vector<repository::Neighbour>>;

// Returns the neighbours of a new path; nullopt if the definition, which the catalog would take, names the
// same path as before. Changes nothing.
Result<Neighbours> try_definition(const capture::Services& services, Id id,
                                  const RepositoryDefinition& definition) {
  std::optional<Neighbours> found;
  const auto tried = services.catalog.write([&](db::Connection& db) -> Result<> {
    HF_TRY(const Repository before, Repositories(db).get(id));
    HF_CHECK(Repositories(db).define(id, definition, services.clock.now()));
    Neighbours neighbours;
    if (!before.complete || before.definition.path != definition.path) {
      HF_TRY(neighbours, neighbours_of(services, db, id));
    }
    found = std::move(neighbours);
    return fail(ECANCELED, "only tried");  // rolls back
  });
  if (!found) return tl::make_unexpected(tried.error());
  return *std::move(found);
}

// A directory that was taken for a repository, until the catalog says so.
struct Site {
  std::string path;
  bool made = false;  // the directory itself
  repository::Place::Marker marker;
};

// Makes the path a repository, or recognises one. Nothing stays of a refusal.
Result<Site> take_site(const RepositoryDefinition& definition,
                       const std::vector<repository::Neighbour>& neighbours) {
  HF_TRY(const bool made, repository::prepare_site(definition, neighbours));
  auto marker = repository::Place::initialise(definition.path);
  if (!marker && made) ::rmdir(definition.path.c_str());
  if (!marker) return tl::make_unexpected(std::move(marker).error());
  return Site{.path = definition.path, .made = made, .marker = *std::move(marker)};
}

void give_back(const Site& site) {
  if (const auto undone = repository::Place::undo_initialise(site.path, site.marker); !undone)
    log::warning("{} was made a repository that nobody has defined: {}", site.path, undone.error().message);
  if (site.made) ::rmdir(site.path.c_str());
}

Result<> define_schedule(db::Connection& db, Id id, const ScheduleDefinition& definition, Time now) {
  HF_TRY(const auto table, schedule::Timetable::of(definition));
  Schedules schedules(db);
  HF_CHECK(schedules.define(id, definition, now));
  if (!definition.enabled) return {};
  return schedules.set_next(id, table.next(now));
}

}  // namespace

Result<> Objects::define(Id id, const MachineDefinition& definition, const Caller& caller) {
  HF_TRY(const bool same, is_defined_so<Machines>(services_, id, definition));
  if (same) return {};
  HF_CHECK(check_host_names(definition));
  HF_CHECK(changes_.apply(ObjectKind::machine, id, "machine.define", caller, "",
                          [&](db::Connection& db) -> Result<> {
                            HF_TRY(const Machine before, Machines(db).get(id));
                            HF_CHECK(Machines(db).define(id, definition, services_.clock.now()));
                            return capture::give_up_unwanted(db, before);
                          }));
  services_.left_behind.add(id);
  services_.throttles.changed(id, definition.bandwidth);
  return {};
}

// The directory may hang, so it is initialised between two transactions. The first only tries: a definition
// that the catalog refuses touches no directory, and a directory that can't be a repository changes no
// definition. If another repository was defined meanwhile, all of it is judged again.
Result<> Objects::define(Id id, const RepositoryDefinition& definition, const Caller& caller) {
  RepositoryDefinition kept = definition;
  kept.create = false;
  HF_TRY(const bool same, is_defined_so<Repositories>(services_, id, kept));
  if (same) return {};
  std::optional<Site> site;
  for (bool judged = false; !judged;) {
    HF_TRY(const auto neighbours, try_definition(services_, id, definition));
    if (neighbours) {
      HF_TRY(site, take_site(definition, *neighbours));
    }
    judged = true;
    const auto defined = services_.catalog.write([&](db::Connection& db) -> Result<> {
      if (neighbours) {
        HF_TRY(const auto now, neighbours_of(services_, db, id));
        judged = now == *neighbours;
        if (!judged) return fail(ECANCELED, "the neighbours have changed");
      }
      HF_CHECK(Repositories(db).define(id, definition, services_.clock.now()));
      if (site) HF_CHECK(Repositories(db).set_marker(id, site->marker.id));
      HF_TRY(std::string path, path_of(db, ObjectKind::repository, id));
      return record(db, make_event(services_.clock.now(), "repository.define", std::move(path), caller));
    });
    if (!defined && site) give_back(*std::exchange(site, std::nullopt));
    if (!defined && judged) return defined;
  }
  if (site) services_.shelf.drop(id);
  services_.throttles.changed(id, definition.bandwidth);
  runner_.set_limit_of(id, static_cast<unsigned>(definition.max_jobs));
  changes_.announce(ObjectKind::repository, id);
  return {};
}

Result<> Objects::define(Id id, const FlowDefinition& definition, const Caller& caller) {
  HF_TRY(const bool same, is_defined_so<Flows>(services_, id, definition));
  if (same) return {};
  HF_TRY(const Flow known, services_.catalog.read([&](db::Connection& db) { return Flows(db).get(id); }));
  HF_CHECK(check_hooks(services_.hooks, known.definition, definition));
  std::vector<Id> given_up;
  HF_CHECK(
      changes_.apply(ObjectKind::flow, id, "flow.define", caller, "", [&](db::Connection& db) -> Result<> {
        Flows flows(db);
        HF_TRY(const Flow before, flows.get(id));
        HF_CHECK(flows.define(id, definition, services_.clock.now()));
        HF_TRY(const Flow after, flows.get(id));
        HF_CHECK(check_references(db, before, after, caller));
        HF_TRY(given_up, capture::give_up_unwanted(db, before));
        return {};
      }));
  for (const Id machine : given_up) services_.left_behind.add(machine);
  return {};
}

Result<> Objects::define(Id id, const GroupDefinition& definition, const Caller& caller) {
  HF_TRY(const bool same, is_defined_so<Groups>(services_, id, definition));
  if (same) return {};
  return changes_.apply(ObjectKind::group, id, "group.define", caller, "", [&](db::Connection& db) {
    return Groups(db).define(id, definition, services_.clock.now());
  });
}

Result<> Objects::define(Id id, const ScheduleDefinition& definition, const Caller& caller) {
  HF_TRY(const bool same, is_defined_so<Schedules>(services_, id, definition));
  if (same) return {};
  HF_CHECK(changes_.apply(ObjectKind::schedule, id, "schedule.define", caller, "", [&](db::Connection& db) {
    return define_schedule(db, id, definition, services_.clock.now());
  }));
  scheduler_.ring();
  return {};
}

Result<> Objects::define(Id id, const PolicyDefinition& definition, const Caller& caller) {
  HF_TRY(const bool same, is_defined_so<Policies>(services_, id, definition));
  if (same) return {};
  HF_CHECK(schedule::VerifyWindow::of(definition.verify_window));
  HF_CHECK(changes_.apply(ObjectKind::policy, id, "policy.define", caller, "", [&](db::Connection& db) {
    return Policies(db).define(id, definition, services_.clock.now());
  }));
  scheduler_.ring();
  return {};
}

Result<> Objects::define(const SettingsDefinition& settings, const Caller& caller) {
  HF_TRY(const SettingsDefinition now, this->settings());
  if (now == settings) return {};
  HF_CHECK(services_.catalog.write([&](db::Connection& db) -> Result<> {
    HF_CHECK(SettingsStore(db).define(settings, services_.clock.now()));
    return record(db, make_event(services_.clock.now(), "settings.define", "config.json", caller));
  }));
  runner_.set_limit(static_cast<unsigned>(settings.max_concurrent_jobs));
  return {};
}

Result<SettingsDefinition> Objects::settings() {
  HF_TRY(const Settings settings,
         services_.catalog.read([](db::Connection& db) { return SettingsStore(db).get(); }));
  return settings.definition;
}

Result<> Objects::enable_schedule(Id id, bool enabled, const Caller& caller) {
  HF_TRY(const Schedule now,
         services_.catalog.read([&](db::Connection& db) { return Schedules(db).get(id); }));
  if (now.complete && now.definition.enabled == enabled) return {};
  const char* word = enabled ? "schedule.enable" : "schedule.disable";
  HF_CHECK(changes_.apply(ObjectKind::schedule, id, word, caller, "", [&](db::Connection& db) -> Result<> {
    HF_TRY(Schedule schedule, Schedules(db).get(id));
    if (!schedule.complete)
      return fail(EINVAL, "schedule '{}' is not complete; write its config.json first", schedule.name);
    schedule.definition.enabled = enabled;
    return define_schedule(db, id, schedule.definition, services_.clock.now());
  }));
  scheduler_.ring();
  return {};
}

}  // namespace holdfast
