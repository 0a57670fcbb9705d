// Groups: which machines are in one.
#include <algorithm>

#include "catalog/stores/groups.h"
#include "catalog/stores/machines.h"
#include "engine/objects/changes.h"
#include "engine/objects/objects.h"
#include "engine/objects/sight.h"

namespace holdfast {

template <class Act>
Result<> Objects::change_member(Id group, Id machine, std::string_view word, const Caller& caller, Act act) {
  std::string member;
  return changes_.apply(ObjectKind::group, group, word, caller, member, [&](db::Connection& db) -> Result<> {
    HF_TRY(const std::string name, Machines(db).name_of(machine));
    member = "machines/" + name;
    if (auto changed = act(Groups(db)); !changed) return within(changed.error(), "machine '{}'", name);
    return {};
  });
}

Result<> Objects::add_member(Id group, Id machine, const Caller& caller) {
  return change_member(group, machine, "group.add", caller, [&](Groups groups) {
    return groups.add_member(group, machine, services_.clock.now());
  });
}

Result<> Objects::remove_member(Id group, Id machine, const Caller& caller) {
  return change_member(group, machine, "group.remove_member", caller, [&](Groups groups) {
    return groups.remove_member(group, machine, services_.clock.now());
  });
}

Result<> Objects::enable_member(Id group, std::string_view machine, bool enabled, const Caller& caller) {
  bool same = false;
  HF_TRY(const Id id, services_.catalog.read([&](db::Connection& db) -> Result<Id> {
    HF_TRY(const auto members, Groups(db).members(group));
    same = std::ranges::any_of(
        members, [&](const Member& it) { return it.machine == machine && it.enabled == enabled; });
    HF_TRY(const Id found, Machines(db).resolve(machine));
    if (!Sight(db, caller).covers(ObjectKind::machine, found))
      return fail(ENOENT, "machine '{}': the machine is not in the group", machine);
    return found;
  }));
  if (same) return {};
  return change_member(group, id, enabled ? "group.enable" : "group.disable", caller, [&](Groups groups) {
    return groups.enable_member(group, id, enabled, services_.clock.now());
  });
}

}  // namespace holdfast
