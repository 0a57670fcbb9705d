// Policies, and what becomes of points by them: plans, prunings, machines that are retired.
#include "catalog/stores/policies.h"

#include <algorithm>

#include "catalog/base/text.h"
#include "catalog/stores/definition_changes.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/retention.h"
#include "engine/live_engine.h"
#include "engine/retention/prune.h"

namespace holdfast {

Result<PolicyView> LiveEngine::policy(Id id) {
  return catalog_->read([&](db::Connection& db) -> Result<PolicyView> {
    PolicyView view;
    HF_TRY(view.policy, Policies(db).get(id));
    HF_TRY(view.flows, Policies(db).users(id));
    view.revision = view.policy.revision;
    return view;
  });
}

Result<> LiveEngine::define(Id id, const PolicyDefinition& definition, const Caller& caller) {
  return change(ObjectKind::policy, id, "policy.define", caller, "",
                [&](db::Connection& db) { return Policies(db).define(id, definition, clock_.now()); });
}

Result<PlanView> LiveEngine::plan(Id machine) {
  HF_TRY(const retention::Plan plan, retention_plan(machine));
  PlanView view{.machine = plan.machine, .retired_until = {}, .points = {}, .warning = plan.warning};
  HF_CHECK(catalog_->read([&](db::Connection& db) -> Result<> {
    HF_TRY(const Machine row, Machines(db).get(machine));
    HF_TRY(const std::int64_t defined, DefinitionChanges(db).newest());
    view.revision = std::max(row.revision, defined);
    return {};
  }));
  if (plan.retirement) view.retired_until = plan.retirement->at + plan.retirement->keep;
  for (const retention::PlannedPoint& planned : plan.points) {
    PlanView::Place place{.repository = planned.repository,
                          .flow = planned.point.flow,
                          .policy = planned.policy,
                          .good = planned.good,
                          .reasons = {}};
    for (const retention::Reason reason : planned.judgement.reasons)
      place.reasons.emplace_back(to_word(reason));
    if (planned.point.copy)
      view.points.back().copies.push_back(std::move(place));
    else
      view.points.push_back({std::move(place), planned.point.name, {}});
  }
  for (PlanView::OfPoint& point : view.points) {
    const auto stays = [](const PlanView::Place& copy) { return !copy.reasons.empty(); };
    if (point.reasons.empty() && std::ranges::any_of(point.copies, stays))
      point.reasons.emplace_back(to_word(retention::Reason::copied));
  }
  return view;
}

Result<retention::Plan> LiveEngine::retention_plan(Id machine) {
  return catalog_->read(
      [&](db::Connection& db) { return retention::make_plan(db, readers_, machine, clock_.now()); });
}

Result<Id> LiveEngine::prune(Id machine, const PruneRequest& request, const Caller& caller) {
  if (!request.name.empty()) HF_CHECK(check_name(request.name));
  return prunings_.begin(machine, request, caller);
}

Result<> LiveEngine::retire(Id machine, std::chrono::seconds keep, const Caller& caller) {
  const std::string span = fmt::format("keep={}s", keep.count());
  HF_CHECK(change(ObjectKind::machine, machine, "machine.retire", caller, span, [&](db::Connection& db) {
    return Retention(db).set_retirement(machine, Retention::Retired{clock_.now(), keep});
  }));
  prunings_.judge(machine);
  return {};
}

Result<> LiveEngine::unretire(Id machine, const Caller& caller) {
  return change(ObjectKind::machine, machine, "machine.unretire", caller, "",
                [&](db::Connection& db) -> Result<> {
                  HF_TRY(const auto retired, Retention(db).retirement(machine));
                  if (!retired) return fail(EINVAL, "the machine is not retired");
                  return Retention(db).set_retirement(machine, std::nullopt);
                });
}

Result<> LiveEngine::remove_point(Id point, const Caller& caller) {
  HF_TRY(const Point row, catalog_->read([&](db::Connection& db) { return Points(db).get(point); }));
  HF_CHECK(retention::retire_point(services_, point, caller));
  observer_.changed(ObjectKind::point, point);
  observer_.changed(ObjectKind::machine, row.machine_id);
  prunings_.make_room(row.machine_id);
  return {};
}

}  // namespace holdfast
