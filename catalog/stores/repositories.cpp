#include "catalog/stores/repositories.h"

namespace holdfast {
namespace {

Result<Repository> read_repository(db::Statement& statement) {
  Repository repository;
  RepositoryDefinition& definition = repository.definition;
  Row row(statement);
  read_object(row, repository, definition.description) >> definition.path >> definition.compression >>
      definition.compression_level >> definition.cluster_size >> definition.read_only >> repository.marker >>
      definition.max_jobs >> definition.bandwidth >> definition.reserve_percent;
  HF_CHECK(row.check());
  return repository;
}

db::Statement& bind_definition(db::Statement& statement, const RepositoryDefinition& definition) {
  return statement.bind(":description", or_null(definition.description))
      .bind(":path", or_null(definition.path))
      .bind(":compression", to_word(definition.compression))
      .bind(":compression_level", definition.compression_level)
      .bind(":cluster_size", static_cast<std::int64_t>(definition.cluster_size))
      .bind(":read_only", definition.read_only)
      .bind(":max_jobs", definition.max_jobs)
      .bind(":bandwidth", number(definition.bandwidth))
      .bind(":reserve_percent", definition.reserve_percent);
}

std::string points_in_words(std::int64_t points) {
  return fmt::format("{} point{}", points, points == 1 ? "" : "s");
}

}  // namespace

Result<Repositories::Users> Repositories::users_of(Id id) {
  Users found;
  HF_TRY(found.flows, users("flow", R"sql(
    SELECT name FROM flows WHERE repository_id = :id
    UNION SELECT name FROM flows WHERE from_repository_id = :id
    ORDER BY name)sql",
                            id));
  HF_TRY(auto points, db_.prepare(R"sql(
    SELECT (SELECT count(*) FROM points WHERE repository_id = :id) +
           (SELECT count(*) FROM copies WHERE repository_id = :id))sql"));
  HF_TRY(const auto count, first_row(points.bind(":id", id), read_id));
  found.points = *count;
  return found;
}

Result<Repository> Repositories::add(std::string_view name, const Ownership& ownership, Time now) {
  Repository repository;
  HF_TRY(static_cast<Object&>(repository), make(name, ownership, now));
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT INTO repositories (id, name, uid, gid, mode, complete, revision, created_at, changed_at,
                              description, path, compression, compression_level, cluster_size, read_only,
                              max_jobs, bandwidth, reserve_percent)
    VALUES (:id, :name, :uid, :gid, :mode, :complete, :revision, :created_at, :changed_at,
            :description, :path, :compression, :compression_level, :cluster_size, :read_only,
            :max_jobs, :bandwidth, :reserve_percent)
    )sql"));
  const auto done = bind_definition(bind_object(insert, repository), repository.definition).run();
  if (!done) return tl::make_unexpected(taken(done.error(), name));
  return repository;
}

Result<Repository> Repositories::get(Id id) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id, name, uid, gid, mode, complete, revision, created_at, changed_at, description,
           path, compression, compression_level, cluster_size, read_only, marker,
           max_jobs, bandwidth, reserve_percent
    FROM repositories WHERE id = :id)sql"));
  HF_TRY(auto repository, first_row(found.bind(":id", id), read_repository));
  if (!repository) return tl::make_unexpected(missing(id));
  HF_TRY(repository->definition.tags, texts("tag", id));
  return std::move(*repository);
}

Result<> Repositories::define(Id id, const RepositoryDefinition& definition, Time now) {
  HF_TRY(const Repository before, get(id));
  if (before.definition.path != definition.path) {
    HF_TRY(const Users used, users_of(id));
    if (used.points > 0)
      return fail(EBUSY, "repository '{}' has {} at {}; its path can't become {}", before.name,
                  points_in_words(used.points), before.definition.path, definition.path);
  }
  // Another place is another store: its marker is not known yet.
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE repositories
    SET complete = 1, revision = :revision, changed_at = :now,
        marker = CASE WHEN path = :path THEN marker END,
        description = :description, path = :path, compression = :compression,
        compression_level = :compression_level, cluster_size = :cluster_size, read_only = :read_only,
        max_jobs = :max_jobs, bandwidth = :bandwidth, reserve_percent = :reserve_percent
    WHERE id = :id)sql"));
  const auto done = bind_definition(update, definition)
                        .bind(":revision", new_id())
                        .bind(":now", milliseconds(now))
                        .bind(":id", id)
                        .run();
  if (!done && done.error().kind == db::Kind::unique)
    return fail(EEXIST, "another repository has the path {}", definition.path);
  HF_CHECK(done);
  return defined(id, true, definition.tags);
}

Result<> Repositories::set_marker(Id id, std::string_view marker) {
  HF_TRY(auto update,
         db_.prepare("UPDATE repositories SET marker = :marker, revision = :revision WHERE id = :id"));
  HF_CHECK(update.bind(":marker", or_null(marker)).bind(":revision", new_id()).bind(":id", id).run());
  if (db_.changes() == 0) return tl::make_unexpected(missing(id));
  return {};
}

Result<> Repositories::remove(Id id) {
  HF_TRY(const std::string name, name_of(id));
  HF_TRY(const Users used, users_of(id));
  std::string why;
  if (!used.flows.empty()) why = fmt::format("is used by {}", used.flows);
  if (used.points > 0)
    why += fmt::format("{}has {}", why.empty() ? "" : " and ", points_in_words(used.points));
  if (!why.empty()) return fail(EBUSY, "repository '{}' {}", name, why);

  return erase(id);
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
  if (!usage) return tl::make_unexpected(missing(id));
  return *usage;
}

}  // namespace holdfast
