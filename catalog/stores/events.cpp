#include "catalog/stores/events.h"

#include "catalog/stores/row.h"

namespace holdfast {
namespace {

Result<Event> read_event(db::Statement& statement) {
  Event event;
  std::optional<std::uint32_t> uid, gid;
  std::optional<std::int32_t> pid;
  Row row(statement);
  row >> event.id >> event.at >> event.event >> event.object >> uid >> gid >> pid >> event.result >>
      event.reason >> event.execution >> event.job;
  HF_CHECK(row.check());
  if (uid && gid && pid) event.by = Caller{*uid, *gid, *pid};
  return event;
}

template <class T>
std::optional<std::int64_t> part_of(const std::optional<Caller>& caller, T Caller::*part) {
  return caller ? std::optional<std::int64_t>{(*caller).*part} : std::nullopt;
}

}  // namespace

Result<> Events::add(const Event& event) {
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT INTO events (id, at, event, object, uid, gid, pid, result, reason, execution, job)
    VALUES (:id, :at, :event, :object, :uid, :gid, :pid, :result, :reason, :execution, :job))sql"));
  HF_CHECK(insert.bind(":id", new_id())
               .bind(":at", milliseconds(event.at))
               .bind(":event", event.event)
               .bind(":object", or_null(event.object))
               .bind(":uid", part_of(event.by, &Caller::uid))
               .bind(":gid", part_of(event.by, &Caller::gid))
               .bind(":pid", part_of(event.by, &Caller::pid))
               .bind(":result", to_word(event.result))
               .bind(":reason", or_null(event.reason))
               .bind(":execution", or_null(event.execution))
               .bind(":job", or_null(event.job))
               .run());
  return {};
}

Result<Id> Events::newest() {
  HF_TRY(auto found, db_.prepare("SELECT max(id) FROM events"));
  HF_CHECK(found.step());
  return found.is_null(0) ? 0 : found.integer(0);
}

Result<std::vector<Event>> Events::since(Id after, int at_most) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id, at, event, object, uid, gid, pid, result, reason, execution, job FROM events
    WHERE id > :after ORDER BY id LIMIT :at_most)sql"));
  return all_rows(found.bind(":after", after).bind(":at_most", at_most), read_event);
}

}  // namespace holdfast
