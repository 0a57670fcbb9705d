#include "fsd/views/json.h"
#include "fsd/views/views.h"

namespace holdfast::views {

std::string schedule_status(const ScheduleView& view) {
  Json flows = Json::array();
  for (const Named& flow : view.flows) flows.push_back(flow.name);
  Json next = Json::array();
  for (const Time at : view.next) next.push_back(iso_time(at));
  return document({
      {"revision", view.revision},
      {"state", view.schedule.complete ? "ready" : "incomplete"},
      {"enabled", view.schedule.definition.enabled},
      {"flows", flows},
      {"next_times", next},
      {"warnings", messages(view.warnings)},
  });
}

std::string occurrence_line(const OccurrenceView& view) {
  const Occurrence& occurrence = view.occurrence;
  const std::string execution =
      view.execution.empty() ? "" : fmt::format("flows/{}/executions/{}", view.flow, view.execution);
  return line({
      {"at", iso_time(occurrence.planned_at)},
      {"flow", view.flow},
      {"status", to_word(occurrence.status)},
      {"reason", word_or_null(occurrence.reason)},
      {"execution", text_or_null(execution)},
  });
}

}  // namespace holdfast::views
