#include "catalog/stores/sources.h"

#include "catalog/stores/credentials.h"

namespace holdfast {
namespace {

Result<Source> read_source(db::Statement& statement) {
  Source source;
  SourceDefinition& definition = source.definition;
  Row row(statement);
  read_object(row, source, definition.description) >> definition.driver >> definition.uri >>
      source.credential_id >> definition.credential >> definition.max_jobs >> definition.bandwidth >>
      definition.discover_every;
  HF_CHECK(row.check());
  return source;
}

db::Statement& bind_definition(db::Statement& statement, const SourceDefinition& definition) {
  return statement.bind(":description", or_null(definition.description))
      .bind(":driver", to_word(definition.driver))
      .bind(":uri", or_null(definition.uri))
      .bind(":max_jobs", definition.max_jobs)
      .bind(":bandwidth", number(definition.bandwidth))
      .bind(":discover_every", number(definition.discover_every));
}

}  // namespace

Result<Source> Sources::add(std::string_view name, const Ownership& ownership, Time now) {
  Source source;
  HF_TRY(static_cast<Object&>(source), make(name, ownership, now));
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT INTO sources (id, name, uid, gid, mode, complete, revision, created_at, changed_at, description,
                         driver, uri, max_jobs, bandwidth, discover_every)
    VALUES (:id, :name, :uid, :gid, :mode, :complete, :revision, :created_at, :changed_at, :description,
            :driver, :uri, :max_jobs, :bandwidth, :discover_every))sql"));
  const auto done = bind_definition(bind_object(insert, source), source.definition).run();
  if (!done) return tl::make_unexpected(taken(done.error(), name));
  return source;
}

Result<Source> Sources::get(Id id) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT sources.id, sources.name, sources.uid, sources.gid, sources.mode, sources.complete,
           sources.revision, sources.created_at, sources.changed_at, sources.description,
           driver, uri, credential_id, credentials.name, max_jobs, bandwidth, discover_every
    FROM sources
    LEFT JOIN credentials ON credentials.id = sources.credential_id
    WHERE sources.id = :id)sql"));
  HF_TRY(auto source, first_row(found.bind(":id", id), read_source));
  if (!source) return tl::make_unexpected(missing(id));
  HF_TRY(source->definition.tags, texts("tag", id));
  return std::move(*source);
}

Result<> Sources::define(Id id, const SourceDefinition& definition, Time now) {
  std::optional<Id> credential;
  if (!definition.credential.empty()) {
    HF_TRY(credential, Credentials(db_).resolve(definition.credential));
  }
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE sources
    SET complete = 1, revision = :revision, changed_at = :now, description = :description,
        driver = :driver, uri = :uri, max_jobs = :max_jobs, bandwidth = :bandwidth,
        discover_every = :discover_every,
        credential_id = :credential
    WHERE id = :id)sql"));
  HF_CHECK(bind_definition(update, definition)
               .bind(":revision", new_id())
               .bind(":now", milliseconds(now))
               .bind(":credential", credential)
               .bind(":id", id)
               .run());
  return defined(id, db_.changes() > 0, definition.tags);
}

Result<> Sources::remove(Id id) {
  HF_TRY(const std::string name, name_of(id));
  HF_TRY(const std::string used_by,
         users("machine", "SELECT name FROM machines WHERE source_id = :id ORDER BY name", id));
  if (!used_by.empty()) return fail(EBUSY, "source '{}' is used by {}", name, used_by);
  return erase(id);
}

}  // namespace holdfast
