// MemoryEngine: groups, schedules, policies, what is asked of flows and runs.
#include <fnmatch.h>

#include <algorithm>

#include "tests/fsd/memory_thing.h"

namespace holdfast::test {

Result<GroupView> MemoryEngine::group(Id id) {
  const std::lock_guard lock(mutex_);
  HF_TRY(const Thing* thing, get(ObjectKind::group, id));
  GroupView view{.group = thing->group, .members = thing->members, .revision = thing->object.revision};
  static_cast<Object&>(view.group) = thing->object;
  return view;
}

Result<ScheduleView> MemoryEngine::schedule(Id id) {
  const std::lock_guard lock(mutex_);
  HF_TRY(const Thing* thing, get(ObjectKind::schedule, id));
  ScheduleView view{.schedule = thing->schedule, .flows = {}, .revision = thing->object.revision};
  static_cast<Object&>(view.schedule) = thing->object;
  return view;
}

Result<PolicyView> MemoryEngine::policy(Id id) {
  const std::lock_guard lock(mutex_);
  HF_TRY(const Thing* thing, get(ObjectKind::policy, id));
  PolicyView view{.policy = thing->policy, .flows = 0, .revision = thing->object.revision};
  static_cast<Object&>(view.policy) = thing->object;
  return view;
}

Result<PlanView> MemoryEngine::plan(Id) { return PlanView{}; }
Result<Id> MemoryEngine::prune(Id, const PruneRequest&, const Caller&) { return new_id(); }
Result<> MemoryEngine::retire(Id, std::chrono::seconds, const Caller&) { return {}; }
Result<> MemoryEngine::unretire(Id, const Caller&) { return {}; }

Result<std::vector<OccurrenceView>> MemoryEngine::occurrences(Id, int) {
  return std::vector<OccurrenceView>{};
}

Result<> MemoryEngine::define(Id id, const GroupDefinition& definition, const Caller&) {
  const std::lock_guard lock(mutex_);
  HF_TRY(Thing * thing, get(ObjectKind::group, id));
  thing->group.definition = definition;
  thing->object.complete = true;
  touch(*thing);
  return {};
}

Result<> MemoryEngine::define(Id id, const ScheduleDefinition& definition, const Caller&) {
  const std::lock_guard lock(mutex_);
  HF_TRY(Thing * thing, get(ObjectKind::schedule, id));
  thing->schedule.definition = definition;
  thing->object.complete = true;
  touch(*thing);
  return {};
}

Result<> MemoryEngine::define(Id id, const PolicyDefinition& definition, const Caller&) {
  const std::lock_guard lock(mutex_);
  HF_TRY(Thing * thing, get(ObjectKind::policy, id));
  thing->policy.definition = definition;
  thing->object.complete = true;
  touch(*thing);
  return {};
}

Result<> MemoryEngine::add_member(Id group, Id machine, const Caller& caller) {
  const std::lock_guard lock(mutex_);
  HF_TRY(Thing * thing, get(ObjectKind::group, group));
  HF_TRY(const Thing* member, get(ObjectKind::machine, machine));
  if (std::ranges::find(thing->members, machine, &Member::machine_id) != thing->members.end())
    return fail(EEXIST, "the machine is in the group");
  thing->members.push_back({machine, member->object.name});
  touch(*thing);
  record("group.add", thing->object.name, caller);
  return {};
}

Result<> MemoryEngine::remove_member(Id group, Id machine, const Caller& caller) {
  const std::lock_guard lock(mutex_);
  HF_TRY(Thing * thing, get(ObjectKind::group, group));
  if (std::erase_if(thing->members, [&](const Member& member) { return member.machine_id == machine; }) == 0)
    return fail(ENOENT, "the machine is not in the group");
  touch(*thing);
  record("group.remove_member", thing->object.name, caller);
  return {};
}

Result<> MemoryEngine::enable_member(Id group, std::string_view machine, bool enabled, const Caller&) {
  const std::lock_guard lock(mutex_);
  HF_TRY(Thing * thing, get(ObjectKind::group, group));
  const auto member = std::ranges::find(thing->members, machine, &Member::machine);
  if (member == thing->members.end()) return fail(ENOENT, "'{}' is not in the group", machine);
  member->enabled = enabled;
  touch(*thing);
  return {};
}

Result<> MemoryEngine::enable_schedule(Id id, bool enabled, const Caller&) {
  const std::lock_guard lock(mutex_);
  HF_TRY(Thing * thing, get(ObjectKind::schedule, id));
  thing->schedule.definition.enabled = enabled;
  touch(*thing);
  return {};
}

Result<> MemoryEngine::set_enabled(Id flow, bool enabled, const Caller&) {
  const std::lock_guard lock(mutex_);
  HF_TRY(Thing * thing, get(ObjectKind::flow, flow));
  thing->flow.definition.enabled = enabled;
  touch(*thing);
  return {};
}

Result<> MemoryEngine::cancel_flow(Id flow, const Caller& caller) {
  HF_TRY(const Named last, latest(ObjectKind::execution, flow));
  return cancel_execution(last.id, caller);
}

Result<> MemoryEngine::cancel_execution(Id id, const Caller&) {
  {
    const std::lock_guard lock(mutex_);
    HF_TRY(const Thing* thing, get(ObjectKind::execution, id));
    if (is_final(thing->execution.status)) return fail(EINVAL, "it has ended");
  }
  end(id, RunStatus::cancelled);
  return {};
}

Result<> MemoryEngine::cancel_job(Id job, const Caller& caller) {
  Id execution = 0;
  {
    const std::lock_guard lock(mutex_);
    HF_TRY(const Thing* thing, get(ObjectKind::job, job));
    execution = thing->parent;
  }
  return cancel_execution(execution, caller);
}

Result<std::vector<Id>> MemoryEngine::run_matching(std::string_view pattern, const RunRequest& request,
                                                   const Caller& caller) {
  HF_TRY(const auto flows, list(ObjectKind::flow, 0));
  std::vector<Id> executions;
  for (const Named& flow : flows) {
    if (fnmatch(std::string{pattern}.c_str(), flow.name.c_str(), 0) != 0) continue;
    HF_TRY(const Id execution, run(flow.id, request, caller));
    executions.push_back(execution);
  }
  if (executions.empty()) return fail(ENOENT, "no flow is called '{}'", pattern);
  return executions;
}

Result<> MemoryEngine::enable_matching(std::string_view pattern, bool enabled, const Caller& caller) {
  HF_TRY(const auto flows, list(ObjectKind::flow, 0));
  for (const Named& flow : flows)
    if (fnmatch(std::string{pattern}.c_str(), flow.name.c_str(), 0) == 0)
      HF_CHECK(set_enabled(flow.id, enabled, caller));
  return {};
}

Result<Id> MemoryEngine::clone_flow(Id id, std::string_view name, const Caller& caller) {
  HF_TRY(const FlowView original, flow(id));
  HF_TRY(const Id made, create(ObjectKind::flow, name, caller));
  HF_CHECK(define(made, original.flow.definition, caller));
  return made;
}

}  // namespace holdfast::test
