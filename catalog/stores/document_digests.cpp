#include "catalog/stores/document_digests.h"

#include "catalog/stores/row.h"

namespace holdfast {

Result<DocumentDigests::Pair> DocumentDigests::get(Id point, Id repository) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT manifest_sha256, facts_sha256,
           CASE WHEN points.repository_id = :repository THEN points.revision > points.told_revision
                ELSE EXISTS (SELECT 1 FROM copies
                             WHERE copies.machine_id = points.machine_id AND copies.point_id = :point
                               AND copies.repository_id = :repository AND copies.untold = 1) END
    FROM document_digests AS digests JOIN points ON points.id = digests.point_id
    WHERE digests.point_id = :point AND digests.repository_id = :repository)sql"));
  const auto read = [](db::Statement& statement) -> Result<Pair> {
    Pair pair;
    Row(statement) >> pair.manifest >> pair.facts >> pair.facts_are_due;
    return pair;
  };
  HF_TRY(const auto pair, first_row(found.bind(":point", point).bind(":repository", repository), read));
  return pair.value_or(Pair{});
}

Result<> DocumentDigests::set_manifest(Id point, Id repository, std::string_view sha256) {
  HF_TRY(auto put, db_.prepare(R"sql(
    INSERT INTO document_digests VALUES (:point, :repository, :sha256, '')
    ON CONFLICT (point_id, repository_id) DO UPDATE SET manifest_sha256 = excluded.manifest_sha256)sql"));
  HF_CHECK(put.bind(":point", point).bind(":repository", repository).bind(":sha256", sha256).run());
  return {};
}

Result<> DocumentDigests::set_facts(Id point, Id repository, std::string_view sha256) {
  HF_TRY(auto put, db_.prepare(R"sql(
    INSERT INTO document_digests VALUES (:point, :repository, '', :sha256)
    ON CONFLICT (point_id, repository_id) DO UPDATE SET facts_sha256 = excluded.facts_sha256)sql"));
  HF_CHECK(put.bind(":point", point).bind(":repository", repository).bind(":sha256", sha256).run());
  return {};
}

}  // namespace holdfast
