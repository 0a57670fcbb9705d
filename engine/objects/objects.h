// Finds objects, and changes what users define.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "catalog/base/error.h"
#include "catalog/model/entities.h"
#include "engine/common/observer.h"
#include "engine/objects/allowances.h"
#include "engine/objects/point_requests.h"

namespace holdfast {

class Bell;
class Changes;
namespace capture {
struct Services;
}
namespace runs {
class Prunings;
class Runner;
}  // namespace runs

// Checks, applies and records each change in one transaction; a refused change leaves nothing but its event.
// Everything passed to the constructor must outlive it. Any thread may call.
class Objects {
 public:
  Objects(const capture::Services& services, runs::Runner& runner, runs::Prunings& prunings, Changes& changes,
          Bell& scheduler)
      : services_(services), runner_(runner), prunings_(prunings), changes_(changes), scheduler_(scheduler) {}

  // Find by name. Points, executions, chains, disks and disks of points need their parent's id; others pass
  // 0.
  Result<Id> find(ObjectKind kind, Id parent, std::string_view name);  // ENOENT
  Result<std::vector<Named>> list(ObjectKind kind, Id parent);
  // Returns the newest execution of a flow, or the newest good point of a machine; ENOENT if there is none.
  Result<Named> latest(ObjectKind kind, Id parent);
  // Returns the newest good point of a machine not later than `when`; ENOENT if there is none.
  Result<Named> point_at(Id machine, Time when);
  // Returns the points that an execution made, each under its machine's name.
  Result<std::vector<Named>> points_of_execution(Id execution);
  // Returns the owner of an object, or with id 0 the owner of the kind's collection; the same holds below.
  Result<Ownership> ownership(ObjectKind kind, Id id);
  // Tells whether the caller may know of an object (law 19).
  bool may_see(ObjectKind kind, Id id, const Caller& caller);
  // Returns the sentence without the names of objects that the caller may not know of, and has not given.
  std::string told(std::string_view sentence, const Caller& caller, std::string_view given);
  // Returns the path for sentences and events: "flows/nightly", "flows".
  Result<std::string> path(ObjectKind kind, Id id);
  // Follows the kernel's rules: root changes everything; the owner changes the mode, and the group to a group
  // that the owner is in. Returns EPERM otherwise.
  Result<> set_ownership(ObjectKind kind, Id id, const Ownership& ownership, const Caller& caller);

  Result<Id> create(ObjectKind kind, std::string_view name, const Caller& caller);
  // Returns EBUSY, with a sentence, if something holds a point (law 12).
  Result<> remove(ObjectKind kind, Id id, const Caller& caller);
  Result<> rename(ObjectKind kind, Id id, std::string_view name, const Caller& caller);

  Result<> define(Id id, const MachineDefinition& definition, const Caller& caller);
  Result<> define(Id id, const RepositoryDefinition& definition, const Caller& caller);
  Result<> define(Id id, const FlowDefinition& definition, const Caller& caller);
  Result<> define(Id id, const GroupDefinition& definition, const Caller& caller);
  Result<> define(Id id, const ScheduleDefinition& definition, const Caller& caller);
  Result<> define(Id id, const PolicyDefinition& definition, const Caller& caller);
  Result<> define(const SettingsDefinition& settings, const Caller& caller);
  Result<SettingsDefinition> settings();

  // Makes a flow with the definition of another.
  Result<Id> clone_flow(Id flow, std::string_view name, const Caller& caller);
  Result<> enable_flow(Id flow, bool enabled, const Caller& caller);
  // Changes all flows that the caller may change and whose names match the shell pattern, or none of them.
  // Returns ENOENT if there is no such flow.
  Result<> enable_flows(std::string_view pattern, bool enabled, const Caller& caller);
  Result<> enable_schedule(Id schedule, bool enabled, const Caller& caller);

  // Return EEXIST if the machine is in the group already, ENOENT if it is not.
  Result<> add_member(Id group, Id machine, const Caller& caller);
  Result<> remove_member(Id group, Id machine, const Caller& caller);
  Result<> enable_member(Id group, std::string_view machine, bool enabled, const Caller& caller);

  Result<> pin(Id point, const PinRequest& request, const Caller& caller);
  Result<> unpin(Id point, const Caller& caller);  // ENOENT without a pin
  Result<> give_verdict(Id point, const VerdictRequest& request, const Caller& caller);

  // Takes one change from what the caller may change now. Returns EDQUOT if nothing is left of that: the
  // caller's events would fill the log.
  Result<> count_change(const Caller& caller);

  // Records a refusal (law 15): `event` ("flow.run"), the path of its object, and the reason. Of many
  // refusals of one user some are left out, which an event says.
  void refused(std::string_view event, std::string object, const Error& why, const Caller& caller);

 private:
  Result<> remove_point(Id point, const Caller& caller);
  template <class Act>
  Result<> change_member(Id group, Id machine, std::string_view word, const Caller& caller, Act act);
  template <class Act>
  Result<> change_facts(Id point, std::string_view word, const Caller& caller, const std::string& reason,
                        Act act);

  const capture::Services& services_;
  runs::Runner& runner_;
  runs::Prunings& prunings_;
  Changes& changes_;
  Bell& scheduler_;
  Allowances refusals_{kRecordedRefusals};
  Allowances changes_of_users_{kChanges};
};

}  // namespace holdfast
