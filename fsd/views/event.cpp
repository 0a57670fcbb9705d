#include "catalog/model/caller_json.h"
#include "fsd/views/json.h"
#include "fsd/views/views.h"

namespace holdfast::views {

std::string event_line(const Event& event) {
  return line({
      {"at", iso_time(event.at)},
      {"event", event.event},
      {"object", event.object},
      {"by", caller_or(event.by, "daemon")},
      {"result", event.result == EventResult::failed ? "error" : to_word(event.result)},
      {"reason", text_or_null(event.reason)},
      {"execution", text_or_null(event.execution)},
      {"job", text_or_null(event.job)},
  });
}

}  // namespace holdfast::views
