#include "catalog/stores/definition_changes.h"

#include "catalog/stores/row.h"

namespace holdfast {
namespace {

// A kind whose definitions may name objects of another kind.
struct Reference {
  DefinitionKind to;
  DefinitionKind from;
  std::string_view table;
  std::string_view condition;
};

using enum DefinitionKind;
constexpr Reference kReferences[] = {
    {machine, flow, "flows", "machine_id = :id"},
    {machine, group, "groups", "id IN (SELECT group_id FROM group_members WHERE machine_id = :id)"},
    {repository, flow, "flows", "repository_id = :id"},
    {repository, flow, "flows", "from_repository_id = :id"},
    {flow, flow, "flows", "after_flow_id = :id"},
    {group, flow, "flows", "group_id = :id"},
    {schedule, flow, "flows", "schedule_id = :id"},
    {policy, flow, "flows", "policy_id = :id"},
};

Result<DefinitionChanges::Change> read_change(db::Statement& statement) {
  DefinitionChanges::Change change;
  Row row(statement);
  row >> change.kind >> change.name >> change.revision;
  HF_CHECK(row.check());
  return change;
}

}  // namespace

Result<> DefinitionChanges::note(DefinitionKind kind, std::string_view name) {
  HF_TRY(auto put, db_.prepare(R"sql(
    INSERT INTO definition_changes (kind, name, revision) VALUES (:kind, :name, :revision)
    ON CONFLICT (kind, name) DO UPDATE SET revision = excluded.revision)sql"));
  HF_CHECK(put.bind(":kind", to_word(kind)).bind(":name", name).bind(":revision", new_id()).run());
  return {};
}

Result<> DefinitionChanges::note_users(DefinitionKind kind, Id id) {
  for (const Reference& reference : kReferences) {
    if (reference.to != kind) continue;
    HF_TRY(auto put,
           db_.prepare(fmt::format("INSERT INTO definition_changes (kind, name, revision) "
                                   "SELECT :kind, name, :revision FROM {} WHERE {} "
                                   "ON CONFLICT (kind, name) DO UPDATE SET revision = excluded.revision",
                                   reference.table, reference.condition)));
    HF_CHECK(put.bind(":kind", to_word(reference.from)).bind(":revision", new_id()).bind(":id", id).run());
    HF_TRY(auto touch, db_.prepare(fmt::format("UPDATE {} SET revision = :revision WHERE {}", reference.table,
                                               reference.condition)));
    HF_CHECK(touch.bind(":revision", new_id()).bind(":id", id).run());
  }
  return {};
}

Result<std::string> DefinitionChanges::catalog_key() {
  HF_TRY(auto found, db_.prepare("SELECT key FROM identity"));
  HF_CHECK(found.step());
  return found.text(0);
}

Result<std::int64_t> DefinitionChanges::newest() {
  HF_TRY(auto found, db_.prepare("SELECT max(revision) FROM definition_changes"));
  HF_CHECK(found.step());
  return found.integer(0);
}

Result<std::vector<DefinitionChanges::Change>> DefinitionChanges::since(std::int64_t revision) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT kind, name, revision FROM definition_changes WHERE revision > :revision
    ORDER BY revision, kind, name)sql"));
  return all_rows(found.bind(":revision", revision), read_change);
}

}  // namespace holdfast
