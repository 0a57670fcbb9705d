// Logs of work, and the event log.
#include "catalog/stores/logs.h"
#include "catalog/stores/events.h"
#include "engine/common/services.h"
#include "engine/status/views.h"

namespace holdfast {

// Leaves out lines about hidden machines.
Result<PageOf<LogLine>> Status::log(ObjectKind kind, Id id, Id after, int at_most, const Caller& reader) {
  return services_.catalog.read([&](db::Connection& db) -> Result<PageOf<LogLine>> {
    Sight sight(db, reader);
    Logs logs(db);
    PageOf<LogLine> page;
    if (kind == ObjectKind::job && !sight.covers(kind, id)) return page;
    HF_TRY(const auto found,
           kind == ObjectKind::job ? logs.of_job(id, after, at_most) : logs.of_execution(id, after, at_most));
    for (const Logs::Line& line : found) {
      page.last = line.id;
      if (!line.machine.empty() && !sight.covers(ObjectKind::machine, line.machine)) continue;
      std::string text = sight.told(line.text, Sentence::is_old);
      if (!text.empty()) page.seen.push_back({line.id, line.at, line.machine, std::move(text)});
    }
    return page;
  });
}

Result<std::vector<Event>> Status::events_since(Id after, int at_most, const Caller& reader) {
  return services_.catalog.read([&](db::Connection& db) { return Events(db).since(after, at_most, reader); });
}

Result<std::vector<Id>> Status::event_parts() {
  return services_.catalog.read([&](db::Connection& db) { return Events(db).parts(); });
}

Result<Id> Status::newest_event() {
  return services_.catalog.read([](db::Connection& db) { return Events(db).newest(); });
}

}  // namespace holdfast
