#include "catalog/stores/object_store.h"

#include <algorithm>

#include "catalog/base/text.h"
#include "catalog/stores/definition_changes.h"

namespace holdfast {
namespace {

// Joins names for a sentence: "'a', 'b' and 7 more".
std::string quoted_list(std::vector<std::string> names) {
  constexpr std::size_t kShown = 10;
  const std::size_t hidden = names.size() - std::min(names.size(), kShown);
  names.resize(names.size() - hidden);
  for (std::string& name : names) name = fmt::format("'{}'", name);
  return fmt::format("{}{}", fmt::join(names, ", "), hidden == 0 ? "" : fmt::format(" and {} more", hidden));
}

}  // namespace

Result<Object> ObjectStore::insert_row(std::string_view name, const Ownership& ownership, Time now,
                                       std::optional<std::string_view> key) {
  HF_CHECK(check_name(name));
  Object object;
  object.id = new_id();
  object.name = name;
  object.ownership = ownership;
  object.revision = new_id();
  object.created_at = object.changed_at = now;
  HF_TRY(auto add, db_.prepare(fmt::format(
                       "INSERT INTO {} (id, name, uid, gid, mode, revision, created_at, changed_at{}) "
                       "VALUES (:id, :name, :uid, :gid, :mode, :revision, :now, :now{})",
                       kind_.many, key ? ", key" : "", key ? ", :key" : "")));
  if (key) add.bind(":key", *key);
  const auto done = add.bind(":id", object.id)
                        .bind(":name", object.name)
                        .bind(":uid", ownership.uid)
                        .bind(":gid", ownership.gid)
                        .bind(":mode", ownership.mode)
                        .bind(":revision", object.revision)
                        .bind(":now", milliseconds(now))
                        .run();
  if (!done) return tl::make_unexpected(taken(done.error(), name));
  return object;
}

std::string ObjectStore::select(std::string_view columns) const {
  return fmt::format(
      "SELECT id, name, uid, gid, mode, complete, revision, created_at, changed_at, definition{} "
      "FROM {} WHERE id = :id",
      columns, kind_.many);
}

void ObjectStore::read_common(Row& row, Object& object, std::optional<std::string>& definition) {
  row >> object.id >> object.name >> object.ownership.uid >> object.ownership.gid >> object.ownership.mode >>
      object.complete >> object.revision >> object.created_at >> object.changed_at >> definition;
}

std::string ObjectStore::update_of(std::string_view assignments) const {
  return fmt::format(
      "UPDATE {} SET definition = :definition, revision = :revision, changed_at = :now{} WHERE id = :id",
      kind_.many, assignments);
}

Result<std::optional<Id>> ObjectStore::find(std::string_view name) {
  HF_TRY(auto found, db_.prepare(fmt::format("SELECT id FROM {} WHERE name = :name", kind_.many)));
  return first_row(found.bind(":name", name), read_id);
}

Result<Id> ObjectStore::resolve(std::string_view name) {
  HF_TRY(const auto found, find(name));
  if (!found) return fail(ENOENT, "there is no {} '{}'", one(), name);
  return *found;
}

Result<std::vector<Named>> ObjectStore::list() {
  HF_TRY(auto all, db_.prepare(fmt::format("SELECT id, name FROM {} ORDER BY name", kind_.many)));
  return all_rows(all, read_named);
}

Result<std::vector<Id>> ObjectStore::after(Id id, int at_most) {
  HF_TRY(auto next,
         db_.prepare(fmt::format("SELECT id FROM {} WHERE id > :id ORDER BY id LIMIT :at_most", kind_.many)));
  return all_rows(next.bind(":id", id).bind(":at_most", at_most), read_id);
}

Result<std::string> ObjectStore::name_of(Id id) {
  HF_TRY(auto found, db_.prepare(fmt::format("SELECT name FROM {} WHERE id = :id", kind_.many)));
  HF_TRY(auto name, first_row(found.bind(":id", id), read_text));
  if (!name) return tl::make_unexpected(missing(id));
  return std::move(*name);
}

Result<Ownership> ObjectStore::ownership(Id id) {
  HF_TRY(auto found, db_.prepare(fmt::format("SELECT uid, gid, mode FROM {} WHERE id = :id", kind_.many)));
  HF_TRY(const auto ownership, first_row(found.bind(":id", id), read_ownership));
  if (!ownership) return tl::make_unexpected(missing(id));
  return *ownership;
}

Result<> ObjectStore::rename(Id id, std::string_view name, Time now) {
  HF_CHECK(check_name(name));
  HF_TRY(const std::string before, name_of(id));
  HF_TRY(
      auto update,
      db_.prepare(fmt::format(
          "UPDATE {} SET name = :name, revision = :revision, changed_at = :now WHERE id = :id", kind_.many)));
  const auto done = update.bind(":name", name)
                        .bind(":revision", new_id())
                        .bind(":now", milliseconds(now))
                        .bind(":id", id)
                        .run();
  if (!done) return tl::make_unexpected(taken(done.error(), name));
  DefinitionChanges changes(db_);
  HF_CHECK(changes.note(kind_.kind, before));
  HF_CHECK(changes.note(kind_.kind, name));
  return changes.note_users(kind_.kind, id);
}

Result<> ObjectStore::set_ownership(Id id, const Ownership& ownership, Time now) {
  HF_TRY(const std::string name, name_of(id));
  HF_TRY(auto update, db_.prepare(fmt::format("UPDATE {} SET uid = :uid, gid = :gid, mode = :mode, "
                                              "revision = :revision, changed_at = :now WHERE id = :id",
                                              kind_.many)));
  HF_CHECK(update.bind(":uid", ownership.uid)
               .bind(":gid", ownership.gid)
               .bind(":mode", ownership.mode)
               .bind(":revision", new_id())
               .bind(":now", milliseconds(now))
               .bind(":id", id)
               .run());
  return DefinitionChanges(db_).note(kind_.kind, name);
}

Result<> ObjectStore::note_defined(Id id) {
  HF_TRY(const std::string name, name_of(id));
  return DefinitionChanges(db_).note(kind_.kind, name);
}

Result<> ObjectStore::erase(Id id) {
  HF_TRY(const std::string name, name_of(id));
  HF_CHECK(DefinitionChanges(db_).note_users(kind_.kind, id));
  HF_TRY(auto remove, db_.prepare(fmt::format("DELETE FROM {} WHERE id = :id", kind_.many)));
  HF_CHECK(remove.bind(":id", id).run());
  return DefinitionChanges(db_).note(kind_.kind, name);
}

Result<std::string> ObjectStore::users(std::string_view one, std::string_view query, Id id) {
  HF_TRY(auto found, db_.prepare(query));
  HF_TRY(auto names, all_rows(found.bind(":id", id), read_text));
  return names.empty() ? std::string{} : fmt::format("{} {}", one, quoted_list(std::move(names)));
}

Error ObjectStore::missing(Id id) const {
  return {ENOENT, fmt::format("there is no {} with id {}", one(), id)};
}

Error ObjectStore::taken(const db::Error& error, std::string_view name) const {
  if (error.kind != db::Kind::unique || error.constraint != fmt::format("{}.name", kind_.many)) return error;
  return {EEXIST, fmt::format("{} '{}' exists", one(), name)};
}

Result<> ObjectStore::check_unused(std::string_view field, std::string_view column, Id id) {
  HF_TRY(const std::string name, name_of(id));
  HF_TRY(const std::string used_by,
         users("flow", fmt::format("SELECT name FROM flows WHERE {} = :id ORDER BY name", column), id));
  if (used_by.empty()) return {};
  return fail(EBUSY, "{} '{}' is used by {}; write 'set {}=null' to flows/NAME/control to let it go", one(),
              name, used_by, field);
}

}  // namespace holdfast
