// Plans: what retention would do of a machine's points now, and what it would do under another policy.
#include <algorithm>

#include "catalog/stores/definition_changes.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/policies.h"
#include "engine/common/services.h"
#include "engine/repository/readers.h"
#include "engine/retention/estimate.h"
#include "engine/status/views.h"

namespace holdfast {
namespace {

void add_place(PlanView& view, const retention::PlannedPoint& planned, Sight& sight) {
  PlanView::Location place{.repository = planned.repository,
                           .flow = planned.point.flow,
                           .policy = planned.policy,
                           .good = planned.good,
                           .reasons = {}};
  for (const retention::Reason reason : planned.judgement.reasons)
    place.reasons.emplace_back(to_word(reason));
  sight.keep_seen(ObjectKind::repository, place.repository);
  sight.keep_seen(ObjectKind::flow, place.flow);
  sight.keep_seen(ObjectKind::policy, place.policy);
  if (planned.point.copy)
    view.points.back().copies.push_back(std::move(place));
  else
    view.points.push_back({std::move(place), planned.point.name, {}});
}

Result<PlanView> view_plan(db::Connection& db, const capture::Services& services, Id machine,
                           const Policy* as_if, const Caller& reader) {
  Sight sight(db, reader);
  HF_TRY(const retention::Plan plan,
         retention::make_plan(db, services.readers, machine, services.clock.now(), as_if));
  HF_TRY(const retention::Estimate room, retention::estimate_room(db, machine, plan));
  PlanView view{.machine = plan.machine,
                .retired_until = {},
                .points = {},
                .bytes_to_free = room.about,
                .bytes_to_free_at_least = room.at_least,
                .warning = sight.told(plan.warning, Sentence::is_old)};
  HF_TRY(const Machine row, Machines(db).get(machine));
  HF_TRY(const std::int64_t defined, DefinitionChanges(db).newest());
  view.revision = std::max(row.revision, defined);
  if (plan.retirement) view.retired_until = plan.retirement->at + plan.retirement->keep;
  for (const retention::PlannedPoint& planned : plan.points) add_place(view, planned, sight);
  for (PlanView::PlannedPoint& point : view.points) {
    const auto stays = [](const PlanView::Location& copy) { return !copy.reasons.empty(); };
    if (point.reasons.empty() && std::ranges::any_of(point.copies, stays))
      point.reasons.emplace_back(to_word(retention::Reason::copied));
  }
  return view;
}

}  // namespace

Result<PlanView> Status::plan(Id machine, const Caller& reader) {
  return services_.catalog.read(
      [&](db::Connection& db) { return view_plan(db, services_, machine, nullptr, reader); });
}

Result<PlanView> Status::preview(Id policy, Id machine, const Caller& reader) {
  return services_.catalog.read([&](db::Connection& db) -> Result<PlanView> {
    if (!Sight(db, reader).covers(ObjectKind::machine, machine))
      return fail(EACCES, "you may not read the machine");
    HF_TRY(const Policy as_if, Policies(db).get(policy));
    return view_plan(db, services_, machine, &as_if, reader);
  });
}

}  // namespace holdfast
