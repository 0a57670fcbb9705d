#include "catalog/stores/repositories.h"

namespace holdfast {
namespace {

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
  return insert<Repository>(name, ownership, now);
}

Result<Repository> Repositories::get(Id id) {
  return load<Repository>(id, ", marker, commits, missed_commits", [](Row& row, Repository& repository) {
    row >> repository.marker >> repository.commits >> repository.missed_commits;
  });
}

Result<> Repositories::define(Id id, const RepositoryDefinition& definition, Time now) {
  HF_TRY(const Repository before, get(id));
  const std::string text = stored_text(definition);
  if (before.definition.path == definition.path) return store(id, text, now);
  HF_TRY(const Users used, users_of(id));
  if (used.points > 0)
    return fail(EBUSY, "repository '{}' has {} at {}; its path can't become {}", before.name,
                points_in_words(used.points), before.definition.path, definition.path);
  HF_TRY(auto others, db_.prepare("SELECT id FROM repositories WHERE path = :path"));
  HF_TRY(const auto other, first_row(others.bind(":path", definition.path), read_id));
  if (other) return fail(EEXIST, "another repository has the path {}", definition.path);
  // A new place may hold another repository.
  return store(id, text, now, ", marker = NULL, commits = 0, missed_commits = NULL");
}

Result<> Repositories::set_marker(Id id, std::string_view marker) {
  HF_TRY(auto others, db_.prepare("SELECT name FROM repositories WHERE marker = :marker AND id <> :id"));
  HF_TRY(const auto other, first_row(others.bind(":marker", marker).bind(":id", id), read_text));
  if (other)
    return fail(
        EEXIST,
        "what lies there is a copy of repository '{0}', or that repository itself: both have the id {1}; "
        "name another directory, or remove repository '{0}' first",
        *other, marker);
  HF_TRY(auto update,
         db_.prepare("UPDATE repositories SET marker = :marker, revision = :revision WHERE id = :id"));
  HF_CHECK(update.bind(":marker", or_null(marker)).bind(":revision", new_id()).bind(":id", id).run());
  if (db_.changes() == 0) return tl::make_unexpected(missing(id));
  return {};
}

// One numbering for points and copies, because both are commits; their ids tell the order.
Result<> Repositories::number_earlier(Id id) {
  for (const std::string_view table : {"points", "copies"}) {
    HF_TRY(auto update, db_.prepare(fmt::format(R"sql(
      UPDATE {0} SET sequence = numbered.number
      FROM (SELECT id, row_number() OVER (ORDER BY id) AS number
            FROM (SELECT id FROM points WHERE repository_id = :id AND state <> 'writing'
                  UNION ALL SELECT id FROM copies WHERE repository_id = :id AND state <> 'writing')) AS numbered
      WHERE {0}.id = numbered.id)sql",
                                                table)));
    HF_CHECK(update.bind(":id", id).run());
  }
  HF_TRY(auto count, db_.prepare(R"sql(
    UPDATE repositories
    SET commits = (SELECT count(*) FROM points WHERE repository_id = :id AND state <> 'writing') +
                  (SELECT count(*) FROM copies WHERE repository_id = :id AND state <> 'writing')
    WHERE id = :id)sql"));
  HF_CHECK(count.bind(":id", id).run());
  return {};
}

Result<std::int64_t> Repositories::take_number(Id id, std::int64_t found) {
  HF_TRY(const Repository repository, get(id));
  if (repository.commits == 0 && found == 0) HF_CHECK(number_earlier(id));
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE repositories SET commits = max(commits, :found) + 1 WHERE id = :id RETURNING commits)sql"));
  HF_TRY(const auto number, returned_row(update.bind(":found", found).bind(":id", id), read_id));
  return number.value_or(0);
}

Result<> Repositories::set_missed(Id id, std::int64_t commits) {
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE repositories SET missed_commits = :commits, revision = :revision WHERE id = :id)sql"));
  HF_CHECK(update.bind(":commits", commits).bind(":revision", new_id()).bind(":id", id).run());
  return {};
}

Result<std::vector<Id>> Repositories::with_missed_commits() {
  HF_TRY(auto found,
         db_.prepare("SELECT id FROM repositories WHERE missed_commits IS NOT NULL ORDER BY name"));
  return all_rows(found, read_id);
}

Result<std::optional<std::int64_t>> Repositories::last_committed(Id id) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT max(sequence)
    FROM (SELECT * FROM (SELECT sequence FROM points WHERE repository_id = :id AND state = 'committed'
                         ORDER BY id DESC LIMIT 1)
          UNION ALL
          SELECT * FROM (SELECT sequence FROM copies WHERE repository_id = :id AND state = 'committed'
                         ORDER BY id DESC LIMIT 1)))sql"));
  const auto read = [](db::Statement& statement) -> Result<std::optional<std::int64_t>> {
    std::optional<std::int64_t> number;
    Row(statement) >> number;
    return number;
  };
  HF_TRY(const auto number, first_row(found.bind(":id", id), read));
  return number.value_or(std::nullopt);
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
