// Schedules: who follows them, their next times, and what came of earlier ones.
#include <algorithm>

#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/occurrences.h"
#include "catalog/stores/schedules.h"
#include "engine/common/services.h"
#include "engine/schedule/timetable.h"
#include "engine/status/schedule_warnings.h"
#include "engine/status/views.h"

namespace holdfast {

Result<ScheduleView> view_schedule(db::Connection& db, Id id, Time now, Sight& sight) {
  constexpr std::size_t kShown = 10;
  ScheduleView view;
  HF_TRY(view.schedule, Schedules(db).get(id));
  HF_TRY(view.flows, Flows(db).of_schedule(id));
  sight.keep_seen(ObjectKind::flow, view.flows);
  view.revision = view.schedule.revision;
  if (!view.schedule.complete) return view;
  const auto table = schedule::Timetable::of(view.schedule.definition);
  if (!table || !view.schedule.definition.enabled) return view;
  for (auto at = table->next_open(now); at && view.next.size() < kShown; at = table->next_open(*at))
    view.next.push_back(*at);
  return view;
}

Result<ScheduleView> Status::schedule(Id id, const Caller& reader) {
  const Time now = services_.clock.now();
  HF_TRY(ScheduleView view, services_.catalog.read([&](db::Connection& db) {
    Sight sight(db, reader);
    return view_schedule(db, id, now, sight);
  }));
  if (view.schedule.complete) view.warnings = schedule_warnings_->of(view.schedule, now);
  return view;
}

Result<std::vector<OccurrenceView>> Status::occurrences(Id schedule, int at_most, const Caller& reader) {
  return services_.catalog.read([&](db::Connection& db) -> Result<std::vector<OccurrenceView>> {
    std::vector<OccurrenceView> views;
    HF_TRY(const auto newest, Occurrences(db).newest(schedule, at_most));
    Sight sight(db, reader);
    for (const Occurrence& occurrence : newest) {
      if (!sight.covers(ObjectKind::flow, occurrence.flow_id)) continue;
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

}  // namespace holdfast
