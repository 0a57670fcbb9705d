#include "catalog/stores/credentials.h"

namespace holdfast {
namespace {

Result<Credential> read_credential(db::Statement& statement) {
  Credential credential;
  CredentialDefinition& definition = credential.definition;
  Row row(statement);
  read_object(row, credential, definition.description);
  HF_CHECK(row.check());
  return credential;
}

db::Statement& bind_definition(db::Statement& statement, const CredentialDefinition& definition) {
  return statement.bind(":description", or_null(definition.description));
}

}  // namespace

Result<Credential> Credentials::add(std::string_view name, const Ownership& ownership, Time now) {
  Credential credential;
  HF_TRY(static_cast<Object&>(credential), make(name, ownership, now));
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT INTO credentials (id, name, uid, gid, mode, complete, revision, created_at, changed_at,
                             description)
    VALUES (:id, :name, :uid, :gid, :mode, :complete, :revision, :created_at, :changed_at,
            :description))sql"));
  const auto done = bind_definition(bind_object(insert, credential), credential.definition).run();
  if (!done) return tl::make_unexpected(taken(done.error(), name));
  return credential;
}

Result<Credential> Credentials::get(Id id) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id, name, uid, gid, mode, complete, revision, created_at, changed_at, description
    FROM credentials WHERE id = :id)sql"));
  HF_TRY(auto credential, first_row(found.bind(":id", id), read_credential));
  if (!credential) return tl::make_unexpected(missing(id));
  HF_TRY(credential->definition.tags, texts("tag", id));
  return std::move(*credential);
}

Result<> Credentials::define(Id id, const CredentialDefinition& definition, Time now) {
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE credentials
    SET complete = 1, revision = :revision, changed_at = :now, description = :description
    WHERE id = :id)sql"));
  HF_CHECK(bind_definition(update, definition)
               .bind(":revision", new_id())
               .bind(":now", milliseconds(now))
               .bind(":id", id)
               .run());
  return defined(id, db_.changes() > 0, definition.tags);
}

Result<> Credentials::remove(Id id) {
  HF_TRY(const std::string name, name_of(id));
  HF_TRY(const std::string used_by,
         users("source", "SELECT name FROM sources WHERE credential_id = :id ORDER BY name", id));
  if (!used_by.empty()) return fail(EBUSY, "credential '{}' is used by {}", name, used_by);
  return erase(id);
}

}  // namespace holdfast
