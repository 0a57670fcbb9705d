// Groups of machines, and schedules.
#include <algorithm>

#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/groups.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/occurrences.h"
#include "catalog/stores/schedules.h"
#include "engine/audit.h"
#include "engine/live_engine.h"

namespace holdfast {
namespace {

// The path of a group, with a change of its members that is recorded in the same transaction.
template <class Change>
Result<> change_members(Catalog& catalog, const Clock& clock, std::string_view word, Id group, Id machine,
                        const Caller& caller, Change change) {
  return catalog.write([&](db::Connection& db) -> Result<> {
    HF_TRY(const std::string name, Machines(db).name_of(machine));
    if (auto changed = change(Groups(db)); !changed) return within(changed.error(), "machine '{}'", name);
    HF_TRY(std::string path, path_of(db, ObjectKind::group, group));
    Event event = make_event(clock, word, std::move(path), caller);
    event.reason = "machines/" + name;
    return record(db, event);
  });
}

}  // namespace

Result<GroupView> LiveEngine::group(Id id) {
  return catalog_->read([&](db::Connection& db) -> Result<GroupView> {
    GroupView view;
    HF_TRY(view.group, Groups(db).get(id));
    HF_TRY(view.members, Groups(db).members(id));
    view.revision = view.group.revision;
    return view;
  });
}

Result<ScheduleView> LiveEngine::schedule(Id id) {
  return catalog_->read([&](db::Connection& db) -> Result<ScheduleView> {
    ScheduleView view;
    HF_TRY(view.schedule, Schedules(db).get(id));
    HF_TRY(const auto flows, Flows(db).of_schedule(id));
    for (const Named& flow : flows) view.flows.push_back(flow.name);
    view.revision = view.schedule.revision;
    return view;
  });
}

Result<std::vector<OccurrenceView>> LiveEngine::occurrences(Id schedule, int at_most) {
  return catalog_->read([&](db::Connection& db) -> Result<std::vector<OccurrenceView>> {
    std::vector<OccurrenceView> views;
    HF_TRY(const auto newest, Occurrences(db).newest(schedule, at_most));
    for (const Occurrence& occurrence : newest) {
      OccurrenceView view{.occurrence = occurrence, .flow = {}, .execution = {}};
      HF_TRY(view.flow, Flows(db).name_of(occurrence.flow_id));
      if (occurrence.execution_id) {
        HF_TRY(const Execution execution, Executions(db).get(*occurrence.execution_id));
        view.execution = execution.name;
      }
      views.push_back(std::move(view));
    }
    std::ranges::reverse(views);
    return views;
  });
}

Result<> LiveEngine::define(Id id, const GroupDefinition& definition, const Caller& caller) {
  HF_CHECK(catalog_->write([&](db::Connection& db) -> Result<> {
    HF_CHECK(Groups(db).define(id, definition, clock_.now()));
    HF_TRY(std::string path, path_of(db, ObjectKind::group, id));
    return record(db, make_event(clock_, "group.define", std::move(path), caller));
  }));
  announce(ObjectKind::group, id);
  return {};
}

Result<> LiveEngine::define(Id id, const ScheduleDefinition& definition, const Caller& caller) {
  HF_CHECK(catalog_->write([&](db::Connection& db) -> Result<> {
    HF_CHECK(Schedules(db).define(id, definition, clock_.now()));
    HF_TRY(std::string path, path_of(db, ObjectKind::schedule, id));
    return record(db, make_event(clock_, "schedule.define", std::move(path), caller));
  }));
  announce(ObjectKind::schedule, id);
  return {};
}

Result<> LiveEngine::add_member(Id group, Id machine, const Caller& caller) {
  HF_CHECK(change_members(*catalog_, clock_, "group.add", group, machine, caller,
                          [&](Groups groups) { return groups.add_member(group, machine, clock_.now()); }));
  announce(ObjectKind::group, group);
  return {};
}

Result<> LiveEngine::remove_member(Id group, Id machine, const Caller& caller) {
  HF_CHECK(change_members(*catalog_, clock_, "group.remove_member", group, machine, caller,
                          [&](Groups groups) { return groups.remove_member(group, machine, clock_.now()); }));
  announce(ObjectKind::group, group);
  return {};
}

Result<> LiveEngine::enable_member(Id group, std::string_view machine, bool enabled, const Caller& caller) {
  HF_TRY(const Id id, catalog_->read([&](db::Connection& db) { return Machines(db).resolve(machine); }));
  HF_CHECK(
      change_members(*catalog_, clock_, enabled ? "group.enable" : "group.disable", group, id, caller,
                     [&](Groups groups) { return groups.enable_member(group, id, enabled, clock_.now()); }));
  announce(ObjectKind::group, group);
  return {};
}

Result<> LiveEngine::enable_schedule(Id id, bool enabled, const Caller& caller) {
  HF_CHECK(catalog_->write([&](db::Connection& db) -> Result<> {
    Schedules schedules(db);
    HF_TRY(Schedule schedule, schedules.get(id));
    if (!schedule.complete)
      return fail(EINVAL, "schedule '{}' is not complete; write its config.json first", schedule.name);
    schedule.definition.enabled = enabled;
    HF_CHECK(schedules.define(id, schedule.definition, clock_.now()));
    return record(db, make_event(clock_, enabled ? "schedule.enable" : "schedule.disable",
                                 "schedules/" + schedule.name, caller));
  }));
  announce(ObjectKind::schedule, id);
  return {};
}

}  // namespace holdfast
