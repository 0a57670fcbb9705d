// Schedules: who follows them, their next times, and what came of earlier ones.
#include <algorithm>

#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/occurrences.h"
#include "catalog/stores/schedules.h"
#include "engine/common/services.h"
#include "engine/schedule/timetable.h"
#include "engine/status/views.h"

namespace holdfast {

std::vector<Warning> schedule_warnings(const Schedule& schedule, Time now) {
  const std::string path = "schedules/" + schedule.name;
  const auto table = schedule::Timetable::of(schedule.definition);
  if (!table)
    return {{.object = path,
             .reason = "starts_nothing",
             .message = "it starts nothing: " + table.error().message,
             .fix = fmt::format("correct {}/config.json", path)}};
  std::vector<Warning> warnings;
  for (const std::size_t i : table->idle_blackouts(now))
    warnings.push_back({.object = path,
                        .reason = "idle_blackout",
                        .message = fmt::format("its blackout '{}' never covers one of its times",
                                               schedule.definition.blackout[i]),
                        .fix = fmt::format("correct the window in {}/config.json, or remove it", path)});
  return warnings;
}

Result<ScheduleView> view_schedule(db::Connection& db, Id id, Time now) {
  constexpr std::size_t kShown = 10;
  ScheduleView view;
  HF_TRY(view.schedule, Schedules(db).get(id));
  HF_TRY(view.flows, Flows(db).of_schedule(id));
  view.revision = view.schedule.revision;
  if (!view.schedule.complete) return view;
  view.warnings = schedule_warnings(view.schedule, now);
  const auto table = schedule::Timetable::of(view.schedule.definition);
  if (!table || !view.schedule.definition.enabled) return view;
  for (auto at = table->next_open(now); at && view.next.size() < kShown; at = table->next_open(*at))
    view.next.push_back(*at);
  return view;
}

Result<ScheduleView> Status::schedule(Id id) {
  return services_.catalog.read(
      [&](db::Connection& db) { return view_schedule(db, id, services_.clock.now()); });
}

Result<std::vector<OccurrenceView>> Status::occurrences(Id schedule, int at_most) {
  return services_.catalog.read([&](db::Connection& db) -> Result<std::vector<OccurrenceView>> {
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

}  // namespace holdfast
