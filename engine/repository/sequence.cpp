#include "engine/repository/sequence.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "catalog/base/log.h"
#include "catalog/model/members.h"
#include "catalog/model/outside_json.h"
#include "catalog/stores/definition_changes.h"
#include "catalog/stores/recovered.h"
#include "catalog/stores/repositories.h"

namespace holdfast::repository {
namespace {

struct Known {
  std::string catalog;
  std::int64_t definitions = 0;  // revision of the newest
  Repository repository;
};

Result<Known> read_known(Catalog& catalog, Id repository) {
  return catalog.read([&](db::Connection& db) -> Result<Known> {
    Known known;
    HF_TRY(known.catalog, DefinitionChanges(db).catalog_key());
    HF_TRY(known.definitions, DefinitionChanges(db).newest());
    HF_TRY(known.repository, Repositories(db).get(repository));
    return known;
  });
}

// Numbers in the repository. A repository older than the count has only the revision of its definitions.
struct Found {
  std::optional<Written> sequence, definitions;
};

Result<Found> read_found(const Directory& directory) {
  Found found;
  HF_TRY(found.sequence, read_written(directory, kSequence, "commits"));
  if (found.sequence) return found;
  const auto definitions = read_written(directory, "definitions/revision", "revision");
  if (definitions) found.definitions = *definitions;  // a damaged one is written anew
  return found;
}

bool lacks(const Known& known, const Found& found) {
  if (found.sequence)
    return found.sequence->catalog != known.catalog || found.sequence->commits > known.repository.commits;
  return found.definitions &&
         (found.definitions->catalog != known.catalog || found.definitions->commits > known.definitions);
}

Result<> write_number(Catalog& catalog, const Place& place, std::int64_t number) {
  HF_TRY(const std::string key,
         catalog.read([](db::Connection& db) { return DefinitionChanges(db).catalog_key(); }));
  const nlohmann::ordered_json written{{"catalog", key}, {"commits", number}};
  return replace_file(place.directory(), kSequence, written.dump(2) + "\n");
}

}  // namespace

Result<std::optional<Written>> read_written(const Directory& directory, const char* file,
                                            const char* number) {
  const auto text = read_small_file(directory, file);
  if (!text && text.error().code == ENOENT) return std::nullopt;
  HF_CHECK(text);
  const nlohmann::json said = json::parse_outside(*text).value_or(nullptr);
  json::Members members(said, file);
  Written written{.catalog = members.text("catalog"),
                  .commits = static_cast<std::int64_t>(members.number(number))};
  if (!members.check()) return fail(EIO, "{} is damaged; it should name a catalog and its number", file);
  return written;
}

std::string older_catalog_sentence(const Repository& repository) {
  return fmt::format(
      "repository '{}' has commits, up to number {}, that this catalog lacks: it is an older copy of the "
      "catalog that made them, or another one. Nothing is deleted or overwritten there; write 'rescan' into "
      "repositories/{}/control, or stop the daemon and put the newest catalog back",
      repository.name, repository.missed_commits.value_or(0), repository.name);
}

// The repository is read first: numbers that this process gives meanwhile are in the catalog by then.
Result<> check_known(Catalog& catalog, const Place& place, Id repository) {
  HF_TRY(const Found found, read_found(place.directory()));
  HF_TRY(Known known, read_known(catalog, repository));
  if (!known.repository.missed_commits) {
    if (!lacks(known, found)) return {};
    known.repository.missed_commits = found.sequence ? found.sequence->commits : 0;
    HF_CHECK(catalog.write([&](db::Connection& db) {
      return Repositories(db).set_missed(repository, *known.repository.missed_commits);
    }));
    log::warning("{}", older_catalog_sentence(known.repository));
  }
  return fail(EROFS, "{}", older_catalog_sentence(known.repository));
}

Result<> adopt(Catalog& catalog, const Place& place, Id repository, std::int64_t highest) {
  {
    const MutexLock lock(place.counting());
    const auto found = read_written(place.directory(), kSequence, "commits");
    if (found && *found) highest = std::max(highest, (*found)->commits);
    HF_CHECK(
        catalog.write([&](db::Connection& db) { return Recovered(db).set_commits(repository, highest); }));
    HF_CHECK(write_number(catalog, place, highest));
  }
  return check_known(catalog, place, repository);
}

Result<std::int64_t> take_number(Catalog& catalog, const Place& place, Id repository) {
  const MutexLock lock(place.counting());
  // The number would hide what the catalog lacks, which may add points all the same.
  const auto is_known = check_known(catalog, place, repository);
  if (!is_known && is_known.error().code != EROFS) return tl::make_unexpected(is_known.error());
  HF_TRY(const auto found, read_written(place.directory(), kSequence, "commits"));
  HF_TRY(const std::int64_t number, catalog.write([&](db::Connection& db) {
    return Repositories(db).take_number(repository, found ? found->commits : 0);
  }));
  HF_CHECK(write_number(catalog, place, number));
  return number;
}

}  // namespace holdfast::repository
