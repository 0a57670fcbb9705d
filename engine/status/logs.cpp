// Logs of work, and the event log.
#include "catalog/stores/logs.h"
#include "catalog/stores/events.h"
#include "engine/common/services.h"
#include "engine/status/status.h"

namespace holdfast {

Result<std::vector<LogLine>> Status::log(ObjectKind kind, Id id, Id after, int at_most) {
  return services_.catalog.read([&](db::Connection& db) -> Result<std::vector<LogLine>> {
    Logs logs(db);
    HF_TRY(const auto found,
           kind == ObjectKind::job ? logs.of_job(id, after, at_most) : logs.of_execution(id, after, at_most));
    std::vector<LogLine> lines;
    for (const Logs::Line& line : found) lines.push_back({line.id, line.at, line.machine, line.text});
    return lines;
  });
}

Result<std::vector<Event>> Status::events_since(Id after, int at_most) {
  return services_.catalog.read([&](db::Connection& db) { return Events(db).since(after, at_most); });
}

Result<std::vector<Id>> Status::event_parts() {
  return services_.catalog.read([&](db::Connection& db) { return Events(db).parts(); });
}

Result<Id> Status::newest_event() {
  return services_.catalog.read([](db::Connection& db) { return Events(db).newest(); });
}

}  // namespace holdfast
