#include "catalog/stores/repositories.h"

#include "catalog/stores/objects.h"

namespace holdfast {
namespace {

constexpr Objects::Kind kKind{"repository", "repositories"};

Result<Repository> read_repository(db::Statement& statement) {
  Repository repository;
  RepositoryDefinition& definition = repository.definition;
  Row row(statement);
  read_object(row, repository, definition.description) >> definition.path >> definition.compression >>
      definition.compression_level >> definition.cluster_size >> definition.read_only >> repository.marker;
  HF_CHECK(row.check());
  return repository;
}

db::Statement& bind_definition(db::Statement& statement, const RepositoryDefinition& definition) {
  return statement.bind(":description", or_null(definition.description))
      .bind(":path", or_null(definition.path))
      .bind(":compression", to_word(definition.compression))
      .bind(":compression_level", definition.compression_level)
      .bind(":cluster_size", static_cast<std::int64_t>(definition.cluster_size))
      .bind(":read_only", definition.read_only);
}

struct Users {
  std::vector<std::string> flows;
  std::int64_t points = 0;
};

Result<Users> users_of(db::Connection& db, Id id) {
  Users users;
  HF_TRY(auto flows, db.prepare("SELECT name FROM flows WHERE repository_id = :id ORDER BY name"));
  HF_TRY(users.flows, all_rows(flows.bind(":id", id), read_text));
  HF_TRY(auto points, db.prepare("SELECT count(*) FROM points WHERE repository_id = :id"));
  HF_TRY(const auto count, first_row(points.bind(":id", id), read_id));
  users.points = *count;
  return users;
}

std::string points_in_words(std::int64_t points) {
  return fmt::format("{} point{}", points, points == 1 ? "" : "s");
}

}  // namespace

Result<Repository> Repositories::add(std::string_view name, const Ownership& ownership, Time now) {
  Repository repository;
  HF_TRY(static_cast<Object&>(repository), Objects(db_, kKind).make(name, ownership, now));
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT INTO repositories (id, name, uid, gid, mode, complete, revision, created_at, changed_at,
                              description, path, compression, compression_level, cluster_size, read_only)
    VALUES (:id, :name, :uid, :gid, :mode, :complete, :revision, :created_at, :changed_at,
            :description, :path, :compression, :compression_level, :cluster_size, :read_only)
    )sql"));
  const auto done = bind_definition(bind_object(insert, repository), repository.definition).run();
  if (!done) return tl::make_unexpected(Objects(db_, kKind).taken(done.error(), name));
  return repository;
}

Result<Repository> Repositories::get(Id id) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id, name, uid, gid, mode, complete, revision, created_at, changed_at, description,
           path, compression, compression_level, cluster_size, read_only, marker
    FROM repositories WHERE id = :id)sql"));
  HF_TRY(auto repository, first_row(found.bind(":id", id), read_repository));
  if (!repository) return tl::make_unexpected(Objects(db_, kKind).missing(id));
  HF_TRY(repository->definition.tags, Objects(db_, kKind).tags(id));
  return std::move(*repository);
}

Result<std::optional<Id>> Repositories::find(std::string_view name) { return Objects(db_, kKind).find(name); }

Result<std::vector<Named>> Repositories::list() { return Objects(db_, kKind).list(); }

Result<> Repositories::rename(Id id, std::string_view name, Time now) {
  return Objects(db_, kKind).rename(id, name, now);
}

Result<> Repositories::define(Id id, const RepositoryDefinition& definition, Time now) {
  HF_TRY(const Repository before, get(id));
  if (before.definition.path != definition.path) {
    HF_TRY(const Users users, users_of(db_, id));
    if (users.points > 0)
      return fail(EBUSY, "repository '{}' has {} at {}; its path can't become {}", before.name,
                  points_in_words(users.points), before.definition.path, definition.path);
  }
  // Another place is another store: its marker is not known yet.
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE repositories
    SET complete = 1, revision = :revision, changed_at = :now,
        marker = CASE WHEN path = :path THEN marker END,
        description = :description, path = :path, compression = :compression,
        compression_level = :compression_level, cluster_size = :cluster_size, read_only = :read_only
    WHERE id = :id)sql"));
  const auto done = bind_definition(update, definition)
                        .bind(":revision", new_id())
                        .bind(":now", milliseconds(now))
                        .bind(":id", id)
                        .run();
  if (!done && done.error().kind == db::Kind::unique)
    return fail(EEXIST, "another repository has the path {}", definition.path);
  HF_CHECK(done);
  return Objects(db_, kKind).set_tags(id, definition.tags);
}

Result<> Repositories::set_marker(Id id, std::string_view marker) {
  HF_TRY(auto update,
         db_.prepare("UPDATE repositories SET marker = :marker, revision = :revision WHERE id = :id"));
  HF_CHECK(update.bind(":marker", or_null(marker)).bind(":revision", new_id()).bind(":id", id).run());
  if (db_.changes() == 0) return tl::make_unexpected(Objects(db_, kKind).missing(id));
  return {};
}

Result<> Repositories::remove(Id id) {
  HF_TRY(const std::string name, Objects(db_, kKind).name_of(id));
  HF_TRY(const Users users, users_of(db_, id));
  std::string why;
  if (!users.flows.empty()) why = fmt::format("is used by flow {}", quoted_list(users.flows));
  if (users.points > 0)
    why += fmt::format("{}has {}", why.empty() ? "" : " and ", points_in_words(users.points));
  if (!why.empty()) return fail(EBUSY, "repository '{}' {}", name, why);

  HF_TRY(auto remove, db_.prepare("DELETE FROM repositories WHERE id = :id"));
  HF_CHECK(remove.bind(":id", id).run());
  return {};
}

Result<Repositories::Usage> Repositories::usage(Id id) {
  HF_TRY(auto found, db_.prepare("SELECT points, bytes_stored FROM repositories WHERE id = :id"));
  const auto read = [](db::Statement& statement) -> Result<Usage> {
    Usage usage;
    Row row(statement);
    row >> usage.points >> usage.bytes_stored;
    return usage;
  };
  HF_TRY(const auto usage, first_row(found.bind(":id", id), read));
  if (!usage) return tl::make_unexpected(Objects(db_, kKind).missing(id));
  return *usage;
}

}  // namespace holdfast
