#include "catalog/stores/events.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "catalog/model/mentions.h"
#include "catalog/model/rights.h"
#include "catalog/stores/row.h"
#include "catalog/stores/settings_store.h"

namespace holdfast {
namespace {

// An event, and the owners of the objects that it names.
struct Told {
  Event event;
  std::string named;
};

Result<Told> read_event(db::Statement& statement) {
  Told told;
  Event& event = told.event;
  std::optional<std::uint32_t> owner_uid;
  Ownership owner;
  Row row(statement);
  row >> event.id >> event.at >> event.event >> event.object >> event.by >> event.result >> event.reason >>
      event.execution >> event.job >> owner_uid >> owner.gid >> owner.mode >> told.named;
  HF_CHECK(row.check());
  if (owner_uid) event.owner = Ownership{*owner_uid, owner.gid, owner.mode};
  return told;
}

// Leaves out names that the reader could not know at the time of the event.
Event told_to(Told told, const Caller& reader) {
  if (reader.uid == 0 || told.named.empty()) return std::move(told.event);
  const auto owners = nlohmann::json::parse(told.named, nullptr, /*allow_exceptions=*/false);
  const MayKnow may_know = [&](const std::string& path) -> std::optional<bool> {
    const auto found = owners.find(path);
    if (found == owners.end()) return std::nullopt;
    const nlohmann::json& its = *found;
    const auto part = [&](int which) { return its.at(which).get<std::uint32_t>(); };
    return may_see(reader, {part(0), part(1), part(2)});
  };
  Event& event = told.event;
  event.reason = without_names(event.reason, Sentence::is_new, may_know);
  if (without_names(event.execution, Sentence::is_new, may_know) != event.execution) event.execution.clear();
  if (may_know("jobs/" + event.job) == false) event.job.clear();
  return std::move(event);
}

// About the size of its line: its texts, and a constant for the rest.
std::int64_t bytes_of(const Event& event) {
  constexpr std::size_t kOfAll = 150;
  return static_cast<std::int64_t>(kOfAll + event.event.size() + event.object.size() + event.reason.size() +
                                   event.execution.size() + event.job.size());
}

std::optional<std::int64_t> part_of(const std::optional<Ownership>& whole, std::uint32_t Ownership::*part) {
  return whole ? std::optional<std::int64_t>{(*whole).*part} : std::nullopt;
}

constexpr int kSweptAtOnce = 4;  // more than come, so that it ends

}  // namespace

// Owner of the object in the first two steps of the path; a job belongs to the owner of its flow, machine or
// repository.
Result<std::optional<Ownership>> Events::owner_of(std::string_view object) {
  static constexpr std::pair<std::string_view, std::string_view> kQuestions[] = {
      {"machines/", "SELECT uid, gid, mode FROM machines WHERE name = :name"},
      {"repositories/", "SELECT uid, gid, mode FROM repositories WHERE name = :name"},
      {"flows/", "SELECT uid, gid, mode FROM flows WHERE name = :name"},
      {"groups/", "SELECT uid, gid, mode FROM groups WHERE name = :name"},
      {"schedules/", "SELECT uid, gid, mode FROM schedules WHERE name = :name"},
      {"policies/", "SELECT uid, gid, mode FROM policies WHERE name = :name"},
      {"jobs/", R"sql(
        SELECT coalesce(flows.uid, machines.uid, repositories.uid),
               coalesce(flows.gid, machines.gid, repositories.gid),
               coalesce(flows.mode, machines.mode, repositories.mode)
        FROM jobs
        LEFT JOIN executions ON executions.id = jobs.execution_id
        LEFT JOIN flows ON flows.id = executions.flow_id
        LEFT JOIN machines ON machines.id = jobs.machine_id
        LEFT JOIN repositories ON repositories.id = jobs.repository_id
        WHERE jobs.name = :name
          AND coalesce(flows.uid, machines.uid, repositories.uid) IS NOT NULL)sql"},
  };
  for (const auto& [folder, question] : kQuestions) {
    if (!object.starts_with(folder)) continue;
    std::string_view name = object.substr(folder.size());
    name = name.substr(0, name.find('/'));
    HF_TRY(auto found, db_.prepare(question));
    return first_row(found.bind(":name", name), read_ownership);
  }
  return std::nullopt;
}

Result<std::string> Events::named_by(const Event& event) {
  nlohmann::json owners = nlohmann::json::object();
  Result<> asked;
  const MayKnow note = [&](const std::string& path) -> std::optional<bool> {
    if (!asked || event.object == path || event.object.starts_with(path + '/')) return true;
    const auto owner = owner_of(path);
    if (!owner) asked = tl::make_unexpected(owner.error());
    if (!owner || !*owner) return std::nullopt;
    owners[path] = {(*owner)->uid, (*owner)->gid, (*owner)->mode};
    return true;
  };
  without_names(event.reason, Sentence::is_new, note);
  without_names(event.execution, Sentence::is_new, note);
  if (!event.job.empty()) note("jobs/" + event.job);
  HF_CHECK(asked);
  return owners.empty() ? std::string{} : owners.dump();
}

Result<> Events::add(const Event& event) {
  std::optional<Ownership> owner = event.owner;
  if (!owner) {
    HF_TRY(owner, owner_of(event.object));
  }
  HF_TRY(const std::string named, named_by(event));
  const Id id = new_id();
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT INTO events (id, at, event, object, uid, gid, pid, result, reason, execution, job,
                        owner_uid, owner_gid, owner_mode, named)
    VALUES (:id, :at, :event, :object, :uid, :gid, :pid, :result, :reason, :execution, :job,
            :owner_uid, :owner_gid, :owner_mode, :named))sql"));
  HF_CHECK(bind_caller(insert, event.by)
               .bind(":id", id)
               .bind(":at", milliseconds(event.at))
               .bind(":event", event.event)
               .bind(":object", or_null(event.object))
               .bind(":result", to_word(event.result))
               .bind(":reason", or_null(event.reason))
               .bind(":execution", or_null(event.execution))
               .bind(":job", or_null(event.job))
               .bind(":owner_uid", part_of(owner, &Ownership::uid))
               .bind(":owner_gid", part_of(owner, &Ownership::gid))
               .bind(":owner_mode", part_of(owner, &Ownership::mode))
               .bind(":named", or_null(named))
               .run());
  return account(id, bytes_of(event));
}

Result<> Events::account(Id id, std::int64_t bytes) {
  HF_TRY(const Settings settings, SettingsStore(db_).get());
  HF_TRY(auto grow, db_.prepare(R"sql(
    UPDATE event_parts SET bytes = bytes + :bytes WHERE id = (SELECT max(id) FROM event_parts)
    RETURNING bytes >= :most)sql"));
  HF_CHECK(grow.bind(":bytes", bytes).bind(":most", number(settings.definition.events_size)).step());
  const bool is_full = grow.integer(0) != 0;
  HF_CHECK(grow.step());
  if (is_full) {
    HF_TRY(auto cut, db_.prepare("INSERT INTO event_parts (id, bytes) VALUES (:id, 0)"));
    HF_CHECK(cut.bind(":id", id).run());
    HF_TRY(auto forget, db_.prepare(R"sql(
      DELETE FROM event_parts
      WHERE id NOT IN (SELECT id FROM event_parts ORDER BY id DESC LIMIT :most))sql"));
    HF_CHECK(forget.bind(":most", kMostParts).run());
  }
  HF_TRY(auto sweep, db_.prepare(R"sql(
    DELETE FROM events WHERE id IN (
      SELECT id FROM events WHERE id <= (SELECT min(id) FROM event_parts) ORDER BY id LIMIT :few))sql"));
  HF_CHECK(sweep.bind(":few", kSweptAtOnce).run());
  return {};
}

Result<std::vector<Id>> Events::parts() {
  HF_TRY(auto found, db_.prepare("SELECT id FROM event_parts ORDER BY id DESC"));
  return all_rows(found, read_id);
}

Result<Id> Events::newest() {
  HF_TRY(auto found, db_.prepare("SELECT max(id) FROM events"));
  HF_CHECK(found.step());
  return found.is_null(0) ? 0 : found.integer(0);
}

Result<std::vector<Event>> Events::since(Id after, int at_most, const Caller& reader) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id, at, event, object, uid, gid, pid, result, reason, execution, job, owner_uid, owner_gid,
           owner_mode, named
    FROM events
    WHERE id > :after ORDER BY id LIMIT :at_most)sql"));
  HF_TRY(auto rows, all_rows(found.bind(":after", after).bind(":at_most", at_most), read_event));
  std::vector<Event> events;
  for (Told& told : rows) events.push_back(told_to(std::move(told), reader));
  return events;
}

}  // namespace holdfast
