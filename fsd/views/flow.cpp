#include "catalog/model/definition_json.h"
#include "fsd/views/json.h"
#include "fsd/views/views.h"

namespace holdfast::views {

namespace {

Json flow_fields(const FlowView& view) {
  const Flow& flow = view.flow;
  std::optional<double> average;
  if (flow.finished_executions > 0)
    average =
        static_cast<double>(flow.total_milliseconds) / 1000.0 / static_cast<double>(flow.finished_executions);
  Json last_id, last_status, last_reason, last_message, last_time;
  if (view.last) {
    last_id = view.last->name;
    last_status = to_word(view.last->status);
    last_reason = word_or_null(view.last->reason);
    last_message = text_or_null(view.last->message);
    last_time = iso_time(view.last->started_at.value_or(view.last->created_at));
  }
  Json warnings = Json::array();
  if (flow.complete && !flow.definition.enabled) warnings.push_back("the flow is disabled");
  return {
      {"revision", view.revision},
      {"state", flow.complete ? "ready" : "incomplete"},
      {"enabled", flow.definition.enabled},
      {"running", view.running},
      {"last_execution_id", last_id},
      {"last_execution_status", last_status},
      {"last_execution_reason", last_reason},
      {"last_execution_message", last_message},
      {"last_execution_time", last_time},
      {"last_success_at", time_or_null(view.last_success_at)},
      {"next_execution_time", view.next ? Json(iso_time(*view.next)) : Json()},
      {"total_executions", flow.total_executions},
      {"successful_executions", flow.successful_executions},
      {"warned_executions", flow.warned_executions},
      {"failed_executions", flow.failed_executions},
      {"average_seconds", seconds_or_null(average)},
      {"warnings", warnings},
  };
}

}  // namespace

std::string flow_status(const FlowView& view) { return document(flow_fields(view)); }

std::string flow_line(const FlowView& view) {
  Json fields = {{"name", view.flow.name}, {"config", Json::parse(print_definition(view.flow.definition))}};
  fields.update(flow_fields(view));
  return line(fields);
}

}  // namespace holdfast::views
