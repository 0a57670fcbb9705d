// Flows: their last run, and the next by their schedule.
#include <algorithm>

#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/schedules.h"
#include "engine/common/services.h"
#include "engine/schedule/timetable.h"
#include "engine/status/views.h"

namespace holdfast {
namespace {

struct FlowRows {
  Flow flow;
  std::optional<Execution> last;
  std::optional<Schedule> schedule;

  std::int64_t revision() const {
    return std::max({flow.revision, last ? last->revision : 0, schedule ? schedule->revision : 0});
  }
};

Result<FlowRows> rows_of_flow(db::Connection& db, Id id) {
  FlowRows rows;
  HF_TRY(rows.flow, Flows(db).get(id));
  HF_TRY(rows.last, Executions(db).latest(id));
  if (rows.flow.schedule_id) {
    HF_TRY(rows.schedule, Schedules(db).get(*rows.flow.schedule_id));
  }
  return rows;
}

}  // namespace

Result<FlowView> view_flow(db::Connection& db, Id id, Time now, Sight& sight) {
  HF_TRY(FlowRows rows, rows_of_flow(db, id));
  FlowView view;
  HF_TRY(view.last_success_at, Executions(db).last_success(id));
  view.running = rows.last && !is_final(rows.last->status);
  view.revision = rows.revision();
  rows.flow.definition = sight.shown(rows.flow);
  if (rows.last) {
    HF_TRY(rows.last->message, message_of(db, *rows.last, sight));
  }
  view.flow = std::move(rows.flow);
  view.last = std::move(rows.last);
  if (!rows.schedule || !view.flow.definition.enabled || !rows.schedule->definition.enabled) return view;
  if (const auto table = schedule::Timetable::of(rows.schedule->definition))
    view.next = table->next_start(now, rows.schedule->id, id);
  return view;
}

Result<Stamp> stamp_flow(db::Connection& db, Id id) {
  HF_TRY(const FlowRows rows, rows_of_flow(db, id));
  Time changed = rows.flow.changed_at;
  if (rows.last) changed = std::max(changed, rows.last->completed_at.value_or(rows.last->created_at));
  return Stamp{rows.revision(), changed};
}

Result<FlowView> Status::flow(Id id, const Caller& reader) {
  return services_.catalog.read([&](db::Connection& db) {
    Sight sight(db, reader);
    return view_flow(db, id, services_.clock.now(), sight);
  });
}

}  // namespace holdfast
