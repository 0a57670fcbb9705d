#include "catalog/stores/repository_sizes.h"

#include "catalog/stores/row.h"

namespace holdfast {

Result<> RepositorySizes::note(Id repository, Time at) {
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT INTO repository_sizes (repository_id, day, at, bytes_stored)
    SELECT id, :day, :at, bytes_stored FROM repositories WHERE id = :repository
    ON CONFLICT (repository_id, day) DO UPDATE SET at = excluded.at, bytes_stored = excluded.bytes_stored)sql"));
  HF_CHECK(insert.bind(":day", std::chrono::floor<std::chrono::days>(at).time_since_epoch().count())
               .bind(":at", milliseconds(at))
               .bind(":repository", repository)
               .run());
  HF_TRY(auto forget, db_.prepare(R"sql(
    DELETE FROM repository_sizes WHERE repository_id = :repository AND at < :oldest)sql"));
  HF_CHECK(forget.bind(":repository", repository).bind(":oldest", milliseconds(at - kKept)).run());
  return {};
}

Result<std::optional<RepositorySizes::Growth>> RepositorySizes::growth(Id repository, Time now) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT at, repositories.bytes_stored - repository_sizes.bytes_stored
    FROM repository_sizes JOIN repositories ON repositories.id = repository_id
    WHERE repository_id = :repository AND at >= :oldest AND at <= :youngest
    ORDER BY day LIMIT 1)sql"));
  const auto read = [](db::Statement& statement) -> Result<Growth> {
    Growth growth;
    Row(statement) >> growth.since >> growth.bytes;
    return growth;
  };
  return first_row(found.bind(":repository", repository)
                       .bind(":oldest", milliseconds(now - kKept))
                       .bind(":youngest", milliseconds(now - std::chrono::days{1})),
                   read);
}

}  // namespace holdfast
