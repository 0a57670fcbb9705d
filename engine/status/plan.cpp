// Plans: what retention would do of a machine's points now.
#include <algorithm>

#include "catalog/stores/definition_changes.h"
#include "catalog/stores/machines.h"
#include "engine/common/services.h"
#include "engine/repository/readers.h"
#include "engine/retention/plan.h"
#include "engine/status/status.h"

namespace holdfast {

Result<PlanView> Status::plan(Id machine) {
  HF_TRY(const retention::Plan plan, services_.catalog.read([&](db::Connection& db) {
    return retention::make_plan(db, services_.readers, machine, services_.clock.now());
  }));
  PlanView view{.machine = plan.machine, .retired_until = {}, .points = {}, .warning = plan.warning};
  HF_CHECK(services_.catalog.read([&](db::Connection& db) -> Result<> {
    HF_TRY(const Machine row, Machines(db).get(machine));
    HF_TRY(const std::int64_t defined, DefinitionChanges(db).newest());
    view.revision = std::max(row.revision, defined);
    return {};
  }));
  if (plan.retirement) view.retired_until = plan.retirement->at + plan.retirement->keep;
  for (const retention::PlannedPoint& planned : plan.points) {
    PlanView::Location place{.repository = planned.repository,
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
  for (PlanView::PlannedPoint& point : view.points) {
    const auto stays = [](const PlanView::Location& copy) { return !copy.reasons.empty(); };
    if (point.reasons.empty() && std::ranges::any_of(point.copies, stays))
      point.reasons.emplace_back(to_word(retention::Reason::copied));
  }
  return view;
}

}  // namespace holdfast
