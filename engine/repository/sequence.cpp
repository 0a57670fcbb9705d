#include "engine/repository/sequence.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "catalog/base/log.h"
#include "catalog/model/members.h"
#include "catalog/model/outside_json.h"
#include "catalog/stores/definition_changes.h"
#include "catalog/stores/recovered.h"
#include "catalog/stores/repositories.h"
#include "engine/common/audit.h"

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

std::string sequence_text(const std::string& catalog_key, std::int64_t number) {
  return nlohmann::ordered_json{{"catalog", catalog_key}, {"commits", number}}.dump(2) + "\n";
}

Result<> write_number(Catalog& catalog, const Place& place, std::int64_t number) {
  HF_TRY(const std::string key,
         catalog.read([](db::Connection& db) { return DefinitionChanges(db).catalog_key(); }));
  return replace_file(place.directory(), kSequence, sequence_text(key, number));
}

}  // namespace

Result<> claim(Catalog& catalog, const Place& place, const Repository& repository) {
  HF_CHECK(place.may_write());
  HF_CHECK(tell_lease(catalog, place, repository));
  return check_age(catalog, place, repository.id);
}

Result<> tell_lease(Catalog& catalog, const Place& place, const Repository& repository) {
  return place.tell_former([&](const Holder& former) {
    Event event = make_event(system_clock().now(), "repository.lease", "repositories/" + repository.name, {});
    event.owner = repository.ownership;
    event.reason =
        fmt::format("it was that of {}, which has ended without giving it back", sentence_of(former));
    return catalog.write([&](db::Connection& db) { return record(db, event); });
  });
}

// The catalog is read first: a number reaches the repository before its point is committed.
Result<> check_age(Catalog& catalog, const Place& place, Id id) {
  HF_TRY(const auto committed,
         catalog.read([&](db::Connection& db) { return Repositories(db).last_committed(id); }));
  if (!committed) return {};
  HF_TRY(const auto found, read_written(place.directory(), kSequence, "commits"));
  const std::int64_t commits = found ? found->commits : 0;
  if (commits >= *committed) return {};
  HF_TRY(const std::string name,
         catalog.read([&](db::Connection& db) { return Repositories(db).name_of(id); }));
  return fail(
      ESTALE,
      "repository '{0}' at {1} is an older copy: it ends with commit {2}, and this catalog has commit {3}. "
      "Nothing is written there; put the newest in its place, or write 'rescan' into "
      "repositories/{0}/control to give up the points that are missing",
      name, place.path(), commits, *committed);
}

Result<std::optional<Written>> read_written(const Directory& directory, const char* file,
                                            const char* number) {
  const auto text = read_small_file(directory, file);
  if (!text && text.error().code == ENOENT) return std::nullopt;
  HF_CHECK(text);
  const nlohmann::json said = json::parse_outside(*text).value_or(nullptr);
  json::Members members(said, file);
  Written written{.catalog = members.text("catalog"),
                  .commits = static_cast<std::int64_t>(members.number(number))};
  if (!members.check())
    return fail_damaged(EIO, "{} is damaged; it should name a catalog and its number", file);
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
  HF_CHECK(check_age(catalog, place, repository));
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

Result<> check_sequence(Catalog& catalog, const Place& place, Id repository) {
  const MutexLock lock(place.counting());
  HF_TRY(const Known known, read_known(catalog, repository));
  if (known.repository.commits == 0 || known.repository.missed_commits) return {};
  const auto text = read_small_file(place.directory(), kSequence);
  if (!text && text.error().code != ENOENT) return tl::make_unexpected(text.error());
  if (text && *text == sequence_text(known.catalog, known.repository.commits)) return {};
  return fail_damaged(EIO, "it should name this catalog and commit {}", known.repository.commits);
}

Result<> renew_sequence(Catalog& catalog, const Place& place, Id repository, bool has_all) {
  const MutexLock lock(place.counting());
  HF_TRY(const Known known, read_known(catalog, repository));
  const auto found = read_found(place.directory());
  const bool says_nothing = !found && found.error().damage;
  const bool is_behind = found && !lacks(known, *found);
  if (!says_nothing && !(is_behind && has_all)) HF_CHECK(check_known(catalog, place, repository));
  return write_number(catalog, place, known.repository.commits);
}

Result<> adopt(Catalog& catalog, const Place& place, Id repository, std::int64_t highest) {
  {
    const MutexLock lock(place.counting());
    const auto found = read_written(place.directory(), kSequence, "commits");
    if (found && *found) highest = std::max(highest, (*found)->commits);
    HF_TRY(const Repository known, catalog.write([&](db::Connection& db) -> Result<Repository> {
      HF_CHECK(Recovered(db).set_commits(repository, highest));
      return Repositories(db).get(repository);
    }));
    HF_CHECK(write_number(catalog, place, known.commits));
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
