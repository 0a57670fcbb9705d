// Removes objects. The refusal of a machine's removal names the next command on the way to it.
#include <algorithm>

#include "catalog/stores/flows.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/points.h"
#include "engine/capture/last_bitmaps.h"
#include "engine/objects/changes.h"
#include "engine/objects/objects.h"
#include "engine/repository/shelf.h"
#include "engine/retention/plan.h"
#include "engine/retention/prune.h"
#include "engine/runs/prunings.h"

namespace holdfast {
namespace {

// Returns the command that brings a machine in use closer to its removal: its flows go, then its points.
Result<std::string> next_step(db::Connection& db, const capture::Services& services, Id machine) {
  const Time now = services.clock.now();
  HF_TRY(const auto flows, Flows(db).of_machine(machine));
  if (!flows.empty()) return "rmdir flows/" + flows.front().name;
  HF_TRY(const retention::Plan plan, retention::make_plan(db, services.readers, machine, now));
  if (!plan.retirement || !plan.retirement->is_over(now))
    return fmt::format("echo 'retire keep=0s' > machines/{}/control", plan.machine);
  HF_TRY(const auto job, Jobs(db).unfinished_of(machine));
  if (job) return fmt::format("cat jobs/{}/wait", job->name);
  for (const retention::PlannedPoint& planned : plan.points) {
    const std::string held = retention::held_against_removal(plan, planned.point.id);
    if (!held.empty()) return fmt::format("free point {}: {}", planned.point.name, held);
    if (planned.judgement.stays())
      return fmt::format("rmdir machines/{}/points/{}", plan.machine, planned.point.name);
  }
  return fmt::format("echo prune > machines/{}/control", plan.machine);
}

}  // namespace

Result<> Objects::remove(ObjectKind kind, Id id, const Caller& caller) {
  if (kind == ObjectKind::point) return remove_point(id, caller);
  const Kind& its = kind_of(kind);
  if (!its.users) return fail(EPERM, "this is not removed by hand");
  std::vector<Id> given_up;
  HF_CHECK(services_.catalog.write([&](db::Connection& db) -> Result<> {
    HF_TRY(std::string path, path_of(db, kind, id));
    Event event =
        make_event(services_.clock.now(), fmt::format("{}.remove", its.word), std::move(path), caller);
    HF_TRY(event.owner, ownership_of(db, kind, id));
    std::optional<Flow> flow;
    if (kind == ObjectKind::flow) {
      HF_TRY(flow, Flows(db).get(id));
    }
    auto removed = its.users->remove(db, id);
    if (!removed && kind == ObjectKind::machine && removed.error().code == EBUSY) {
      HF_TRY(const std::string step, next_step(db, services_, id));
      removed.error().message += "; next: " + step;
    }
    HF_CHECK(removed);
    if (flow) {
      HF_TRY(given_up, capture::give_up_unwanted(db, *flow));
    }
    return record(db, event);
  }));
  for (const Id machine : given_up) services_.left_behind.add(machine);
  if (kind == ObjectKind::repository) services_.shelf.drop(id);
  changes_.announce(kind, id);
  return {};
}

// Announces the machine as well, because its totals change. A pruning then frees the space.
Result<> Objects::remove_point(Id point, const Caller& caller) {
  HF_TRY(const Point row, services_.catalog.read([&](db::Connection& db) { return Points(db).get(point); }));
  HF_CHECK(retention::retire_point(services_, point, caller));
  changes_.announce(ObjectKind::point, point);
  changes_.announce(ObjectKind::machine, row.machine_id);
  prunings_.make_room(row.machine_id);
  return {};
}

}  // namespace holdfast
