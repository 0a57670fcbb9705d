// Groups of machines, and schedules.
#include <algorithm>

#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/groups.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/occurrences.h"
#include "catalog/stores/schedules.h"
#include "engine/live_engine.h"

namespace holdfast {
namespace {

Result<> define_schedule(db::Connection& db, Id id, const ScheduleDefinition& definition, Time now) {
  HF_TRY(const auto table, schedule::Timetable::of(definition));
  Schedules schedules(db);
  HF_CHECK(schedules.define(id, definition, now));
  if (!definition.enabled) return {};
  return schedules.set_next(id, table.next(now));
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
  return catalog_->read([&](db::Connection& db) { return view_schedule(db, id, clock_.now()); });
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
  return change(ObjectKind::group, id, "group.define", caller, "",
                [&](db::Connection& db) { return Groups(db).define(id, definition, clock_.now()); });
}

Result<> LiveEngine::define(Id id, const ScheduleDefinition& definition, const Caller& caller) {
  HF_CHECK(change(ObjectKind::schedule, id, "schedule.define", caller, "",
                  [&](db::Connection& db) { return define_schedule(db, id, definition, clock_.now()); }));
  scheduler_bell_.ring();
  return {};
}

template <class Act>
Result<> LiveEngine::change_member(Id group, Id machine, std::string_view word, const Caller& caller,
                                   Act act) {
  std::string member;
  return change(ObjectKind::group, group, word, caller, member, [&](db::Connection& db) -> Result<> {
    HF_TRY(const std::string name, Machines(db).name_of(machine));
    member = "machines/" + name;
    if (auto changed = act(Groups(db)); !changed) return within(changed.error(), "machine '{}'", name);
    return {};
  });
}

Result<> LiveEngine::add_member(Id group, Id machine, const Caller& caller) {
  return change_member(group, machine, "group.add", caller,
                       [&](Groups groups) { return groups.add_member(group, machine, clock_.now()); });
}

Result<> LiveEngine::remove_member(Id group, Id machine, const Caller& caller) {
  return change_member(group, machine, "group.remove_member", caller,
                       [&](Groups groups) { return groups.remove_member(group, machine, clock_.now()); });
}

Result<> LiveEngine::enable_member(Id group, std::string_view machine, bool enabled, const Caller& caller) {
  HF_TRY(const Id id, catalog_->read([&](db::Connection& db) { return Machines(db).resolve(machine); }));
  return change_member(group, id, enabled ? "group.enable" : "group.disable", caller,
                       [&](Groups groups) { return groups.enable_member(group, id, enabled, clock_.now()); });
}

Result<> LiveEngine::enable_schedule(Id id, bool enabled, const Caller& caller) {
  const char* word = enabled ? "schedule.enable" : "schedule.disable";
  HF_CHECK(change(ObjectKind::schedule, id, word, caller, "", [&](db::Connection& db) -> Result<> {
    HF_TRY(Schedule schedule, Schedules(db).get(id));
    if (!schedule.complete)
      return fail(EINVAL, "schedule '{}' is not complete; write its config.json first", schedule.name);
    schedule.definition.enabled = enabled;
    return define_schedule(db, id, schedule.definition, clock_.now());
  }));
  scheduler_bell_.ring();
  return {};
}

}  // namespace holdfast
